/** Our own nft table, which rejects what mangle marks: one text, written and compared as a whole. */
import { ToolError, ToolMissingError } from "./errors.ts";
import type { NodeAccess } from "./node-access.ts";
import type { PrintedForms } from "./printed-forms.ts";

export const NFT_TABLE = "inet porthardening";
const PLACE = `table ${NFT_TABLE}`;

export interface NftTablePlan {
  readonly now: string | undefined;
  readonly goal: string | undefined;
  /** What stands while rules change that mark by another bit: both are rejected. */
  readonly interim: string | undefined;
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
  const interim = sameButBit(now, goal) ? `${now}\n${goal}` : goal;
  return { now, goal, interim, difference: same ? undefined : `${PLACE} ${what}` };
}

/**
 * nft adds the rules of a chain that stands there twice, one behind the other. Not where the table rejects what is under
 * way too: the bit that was ours may be somebody else's from now on, and nobody takes it from their packets.
 */
function sameButBit(now: string | undefined, goal: string | undefined): boolean {
  const without = (text: string | undefined) => text?.replaceAll(/\b0x[0-9a-f]{8}\b/g, "BIT");
  const openingsOnly = goal?.includes("tcp flags syn") === true;
  return openingsOnly && now !== undefined && now !== goal && without(now) === without(goal);
}

/** Replaces the table in one transaction; to be called before rules are written, and `settleNftTable` after them. */
export async function writeNftTable(node: NodeAccess, { interim, difference }: NftTablePlan): Promise<void> {
  if (interim === undefined || difference === undefined) return;
  await replaceNftTable(node, interim);
}

export async function settleNftTable(
  node: NodeAccess,
  { interim, goal, now, difference }: NftTablePlan,
): Promise<void> {
  if (goal === undefined && now !== undefined) await node.run("nft", ["-f", "-"], `delete ${PLACE}\n`);
  else if (goal !== undefined && difference !== undefined && interim !== goal) await replaceNftTable(node, goal);
}

async function replaceNftTable(node: NodeAccess, content: string): Promise<void> {
  await node.run("nft", ["-f", "-"], `${PLACE}\ndelete ${PLACE}\n${content}\n`);
}

/** Takes what was read back of the table that was just written for the printed form of it. */
export function learnNftTable(written: NftTablePlan, readBack: NftTablePlan, forms: PrintedForms): void {
  if (written.difference === undefined || written.goal === undefined || readBack.now === undefined) return;
  if (readBack.difference !== undefined) forms.learn(PLACE, [written.goal], [readBack.now]);
}
