import { ToolError } from "./errors.ts";
import { NFT_TABLE } from "./nft-table.ts";

export interface MemoryNft {
  answer(args: readonly string[], input: string, committed: (change: string) => void): string;
}

/** nft, as far as our own table goes. */
export function memoryNft(): MemoryNft {
  let table: string | undefined;
  return {
    answer(args, input, committed) {
      if (args.includes("--version")) return "nftables v1.0.6";
      if (args.includes("list")) {
        if (table === undefined) throw new ToolError("nft", "Error: No such file or directory");
        return table;
      }
      // What we write: the table, so that it can be deleted, the deletion, and the new content.
      const deletion = `delete table ${NFT_TABLE}\n`;
      const at = input.indexOf(deletion);
      if (at < 0 && table === undefined) throw new ToolError("nft", `Error: unknown input ${input}`);
      if (at === 0 && table === undefined) throw new ToolError("nft", "Error: No such file or directory");
      const content = input.slice(at + deletion.length).trim();
      table = content === "" ? undefined : content;
      committed(content === "" ? `delete table ${NFT_TABLE}` : `add chain ${NFT_TABLE} prerouting`);
      return "";
    },
  };
}
