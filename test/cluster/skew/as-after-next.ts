import { join } from "node:path";
import { standIn } from "./stand-in.ts";

standIn("plan/plan-formats.ts", join(import.meta.dirname, "formats-after-next.ts"));
