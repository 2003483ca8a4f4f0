import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";

/** A tar archive with these files (ustar; names of at most 100 characters). */
export function tar(files: readonly { readonly name: string; readonly mode: number; readonly data: Buffer }[]): Buffer {
  const blocks = files.flatMap(({ name, mode, data }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    for (const [offset, length, value] of [
      [100, 8, mode],
      [108, 8, 0],
      [116, 8, 0],
      [124, 12, data.length],
      [136, 12, 0],
    ] as const) {
      header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, offset);
    }
    header.write(" ".repeat(8), 148);
    header.write("0", 156);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Writes an OCI archive of an image with one layer that holds one program. */
export async function writeProgramImage(
  file: string,
  { reference, program }: { readonly reference: string; readonly program: Buffer },
): Promise<void> {
  const layer = tar([{ name: "program", mode: 0o755, data: program }]);
  const config = json({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: { Entrypoint: ["/program"] },
    rootfs: { type: "layers", diff_ids: [digest(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: describe("application/vnd.oci.image.config.v1+json", config),
    layers: [describe("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        ...describe("application/vnd.oci.image.manifest.v1+json", manifest),
        annotations: { "io.containerd.image.name": reference },
      },
    ],
  });
  const blobs = [layer, config, manifest].map((data) => ({
    name: `blobs/sha256/${digest(data).slice("sha256:".length)}`,
    mode: 0o644,
    data,
  }));
  const head = [
    { name: "oci-layout", mode: 0o644, data: json({ imageLayoutVersion: "1.0.0" }) },
    { name: "index.json", mode: 0o644, data: index },
  ];
  await writeFile(file, tar([...head, ...blobs]));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digest(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

function describe(mediaType: string, data: Buffer) {
  return { mediaType, digest: digest(data), size: data.length };
}
