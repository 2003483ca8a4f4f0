/** When people begin to wonder. */
const PATIENCE_MILLISECONDS = 2_000;
/** Between lines, so that the log of a CI run stays short. */
const PACE_MILLISECONDS = 5_000;

/** Says what an audit that takes a while is at. */
export interface AuditProgress {
  started(check: string): void;
  probed(done: number, all: number): void;
  end(): void;
}

/** @param write takes a line, for stderr: what is found goes to stdout alone. */
export function auditProgress(write: (line: string) => void): AuditProgress {
  let doing = "audit: begins";
  const say = () => {
    write(doing);
    timer = setTimeout(say, PACE_MILLISECONDS);
  };
  let timer = setTimeout(say, PATIENCE_MILLISECONDS);
  return {
    started(check) {
      doing = `audit: ${check} ...`;
    },
    probed(done, all) {
      doing = `audit: protocols: ${done} of ${all} listeners probed`;
    },
    end: () => clearTimeout(timer),
  };
}
