/** By which rule the policies refuse a connection: a deny, or `default` for the default action. */
export interface ExpectedRefusal {
  readonly policy: string;
  readonly entry: string;
  /** It is answered by a reset, as a closed port would be; else by nothing. */
  readonly rejects: boolean;
}

/** What the policies say of a TCP connection from a peer to one of the node's own addresses; undefined lets it pass. */
export type ExposureJudge = (connection: {
  readonly from: string;
  readonly to: string;
  readonly port: number;
}) => ExpectedRefusal | undefined;
