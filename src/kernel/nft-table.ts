/** Our own nft table, which rejects what mangle marks: one text, written and compared as a whole. */
import { ToolError, ToolMissingError } from "./errors.ts";
import type { NodeAccess } from "./node-access.ts";
import type { PrintedForms } from "./printed-forms.ts";

export const NFT_TABLE = "inet porthardening";
const PLACE = `table ${NFT_TABLE}`;

export interface NftTablePlan {
  readonly now: string | undefined;
  readonly goal: string | undefined;
  readonly difference: string | undefined;
}

/** Undefined where there is none; where nft is not installed we never wrote one. */
export async function observeNftTable(node: NodeAccess): Promise<string | undefined> {
  try {
    return (await node.run("nft", ["-s", "list", "table", ...NFT_TABLE.split(" ")])).trimEnd();
  } catch (error) {
    if (error instanceof ToolMissingError) return undefined;
    if (error instanceof ToolError && error.words.includes("No such file or directory")) return undefined;
    throw error;
  }
}

export function planNftTable(goal: string | undefined, now: string | undefined, forms: PrintedForms): NftTablePlan {
  const same = goal === now || (goal !== undefined && now !== undefined && forms.same(PLACE, [goal], [now]));
  const what = now === undefined ? "missing" : goal === undefined ? "left over" : "not as it should be";
  return { now, goal, difference: same ? undefined : `${PLACE} ${what}` };
}

/** Replaces the table in one transaction. */
export async function writeNftTable(node: NodeAccess, { goal, difference }: NftTablePlan): Promise<void> {
  if (goal === undefined || difference === undefined) return;
  await node.run("nft", ["-f", "-"], `${PLACE}\ndelete ${PLACE}\n${goal}\n`);
}

export async function deleteNftTable(node: NodeAccess, { now, goal }: NftTablePlan): Promise<void> {
  if (goal === undefined && now !== undefined) await node.run("nft", ["-f", "-"], `delete ${PLACE}\n`);
}

/** Takes what was read back of the table that was just written for the printed form of it. */
export function learnNftTable(written: NftTablePlan, readBack: NftTablePlan, forms: PrintedForms): void {
  if (written.difference === undefined || written.goal === undefined || readBack.now === undefined) return;
  if (readBack.difference !== undefined) forms.learn(PLACE, [written.goal], [readBack.now]);
}
