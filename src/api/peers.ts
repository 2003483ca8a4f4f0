import * as z from "zod";
import { containsCidr, parseCidr } from "./cidr.ts";
import { cidrText } from "./cidr-schema.ts";
import { labelSelectorSchema } from "./label-selector.ts";
import { DNS_SUBDOMAIN } from "./named.ts";
import { withRules } from "./rule.ts";

const ipBlockSchema = withRules(
  z.strictObject({
    cidr: cidrText("The block, without host bits: 192.0.2.0/24 or 2001:db8::/32."),
    except: z
      .array(cidrText("A block inside cidr that is not meant."))
      .max(64)
      .optional()
      .describe("Blocks inside cidr that are not meant. Taken out of this peer only."),
  }),
  [
    {
      cel: "!has(self.except) || self.except.all(x, !isCIDR(x) || !isCIDR(self.cidr) || cidr(self.cidr).containsCIDR(x))",
      message: "each exception must lie inside cidr",
      field: "except",
      holds: ({ cidr, except = [] }) => {
        const outer = parseCidr(cidr);
        return except.every((text) => {
          const inner = parseCidr(text);
          return outer === undefined || inner === undefined || containsCidr(outer, inner);
        });
      },
    },
  ],
);

const groupSelectorSchema = withRules(labelSelectorSchema, [
  {
    cel: "has(self.matchLabels) && size(self.matchLabels) > 0 || has(self.matchExpressions) && size(self.matchExpressions) > 0",
    message: "must ask for at least one label: an empty selector would take in every address group of the cluster",
    holds: ({ matchLabels = {}, matchExpressions = [] }) =>
      Object.keys(matchLabels).length + matchExpressions.length > 0,
  },
]);

const addressGroupRefSchema = withRules(
  z.strictObject({
    name: z
      .string()
      .max(253)
      .regex(DNS_SUBDOMAIN, "must be the name of a PortHardeningAddressGroup")
      .optional()
      .describe("The PortHardeningAddressGroup of this name."),
    selector: groupSelectorSchema
      .optional()
      .describe("Every PortHardeningAddressGroup with these labels; they act as one list."),
  }),
  [
    {
      cel: "has(self.name) != has(self.selector)",
      message: "must have exactly one of name and selector",
      holds: ({ name, selector }) => (name === undefined) !== (selector === undefined),
    },
  ],
);

export const peerSchema = withRules(
  z.strictObject({
    ipBlock: ipBlockSchema.optional().describe("A block of addresses, less its exceptions."),
    nodes: labelSelectorSchema
      .optional()
      .describe(
        "InternalIP and ExternalIP addresses of the Nodes with these labels, not of their pods; {} means every Node. " +
          "Nodes that gain or lose the labels are followed at once. Where trustCluster holds, every node passes anyway. " +
          "A kubelet may set most labels of its own Node, but none under node-restriction.kubernetes.io/.",
      ),
    addressGroup: addressGroupRefSchema
      .optional()
      .describe("Addresses kept in PortHardeningAddressGroup objects; edits of those apply at once."),
  }),
  [
    {
      cel: "[has(self.ipBlock), has(self.nodes), has(self.addressGroup)].exists_one(x, x)",
      message: "must have exactly one of ipBlock, nodes and addressGroup",
      holds: ({ ipBlock, nodes, addressGroup }) =>
        [ipBlock, nodes, addressGroup].filter((member) => member !== undefined).length === 1,
    },
  ],
).describe("Addresses, said in exactly one way.");
export type Peer = z.infer<typeof peerSchema>;
