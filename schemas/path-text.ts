/** A raw path as JSON carries it: as UTF-8, and where its bytes are none, all of them in hexadecimal beside it. */
export function pathAsText(raw: Buffer): { readonly path: string; readonly pathHex: string | null } {
  const text = raw.toString('utf8');
  return { path: text, pathHex: Buffer.from(text, 'utf8').equals(raw) ? null : raw.toString('hex') };
}
