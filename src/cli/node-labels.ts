import { InvalidArgumentError } from "commander";

/** `role=worker,zone=` as labels; an empty text is no label. */
export function nodeLabels(text: string): Readonly<Record<string, string>> {
  const parts = text.split(",").filter((part) => part !== "");
  return Object.fromEntries(
    parts.map((part) => {
      const [key = "", value, ...more] = part.split("=");
      if (key === "" || value === undefined || more.length > 0) {
        throw new InvalidArgumentError(`"${part}" is not key=value.`);
      }
      return [key, value];
    }),
  );
}
