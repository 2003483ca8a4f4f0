/**
 * 100,000 single addresses of the test networks, two of three IPv4, in no order. Odd ones only, so that no two of them
 * make a block.
 */
export function manyCidrs(): string[] {
  const v4 = Array.from({ length: 65_536 }, (_, i) => {
    const at = ((i * 7919) % 65_536) * 2 + 1;
    return `198.${18 + (at >>> 16)}.${(at >>> 8) & 255}.${at & 255}/32`;
  });
  const v6 = Array.from({ length: 100_000 - v4.length }, (_, i) => {
    const at = ((i * 7919) % 65_536) * 2 + 1;
    return `2001:db8:${(at >>> 16).toString(16)}:${(at & 0xffff).toString(16)}::1/128`;
  });
  return v4.flatMap((one, i) => [one, ...v6.slice(i, i + 1)]);
}
