/**
 * Loaded into a real agent (`node --import`): its wall clock is moved by what the file CLOCK_FILE says, in milliseconds, from the
 * moment on at which it says so. The machine's own clock is left alone, as it is everybody's.
 */
import { readFileSync } from "node:fs";

const file = process.env["CLOCK_FILE"] ?? "";
const RealDate = Date;

function moved(): number {
  return RealDate.now() + Number(readFileSync(file, "utf8"));
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [moved()] : args, self),
  apply: () => new RealDate(moved()).toString(),
  get: (target, name, self) => (name === "now" ? moved : Reflect.get(target, name, self)),
});
