import { join } from "node:path";
import { standIn } from "./stand-in.ts";

standIn("plan/compile.ts", join(import.meta.dirname, "compiler-that-says-more.ts"));
