/**
 * A protobuf reader that visits only the fields named in a table and skips the rest by wire type. No npm package decodes a large pod list
 * in the memory we have: full decoders build every field first (2.4 GiB for 150,000 pods against 0.2).
 */

/** Bytes that are not what they claim to be. The stream that carried them is ended and counted, never read further. */
export class BrokenFrame extends Error {
  override readonly name = 'BrokenFrame';
}

/** What to do with one field: `wire` 0 carries a number (bool, enum, int32, int64), 2 a span of bytes (text, nested message, map entry). */
export type Field<D> =
  | { readonly wire: 0; readonly take: (draft: D, value: number) => void }
  | { readonly wire: 2; readonly take: (draft: D, bytes: Buffer, from: number, to: number) => void };

/** Wanted fields by number, as in the `generated.proto` of the message. */
export type Fields<D> = Readonly<Record<number, Field<D>>>;

// Where the last varint ended. A module variable, since a second return value would be an allocation for each of millions of fields;
// safe because nothing here awaits.
let position = 0;

function varint(bytes: Buffer, to: number): number {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (position >= to) throw new BrokenFrame('protobuf: a number runs over the end of its message');
    const byte = bytes[position++] as number;
    if (byte < 0x80 && shift === 0) return byte;
    const group = byte & 0x7f;
    if (shift < 28) low |= group << shift;
    else if (shift === 28) {
      low |= group << 28;
      high = group >> 4;
    } else high |= group << (shift - 32);
    // A negative int32 is sign-extended to ten bytes: priority -10 of an over-provisioning pod.
    if (byte < 0x80) return high * 2 ** 32 + (low >>> 0);
  }
  throw new BrokenFrame('protobuf: a number of more than ten bytes');
}

function spanEnd(bytes: Buffer, to: number): number {
  const length = varint(bytes, to);
  const end = position + length;
  if (length < 0 || end > to) throw new BrokenFrame('protobuf: a field runs over the end of its message');
  return end;
}

function skip(bytes: Buffer, to: number, wire: number): void {
  if (wire === 0) varint(bytes, to);
  else if (wire === 1) position += 8;
  else if (wire === 2) position = spanEnd(bytes, to);
  else if (wire === 5) position += 4;
  else throw new BrokenFrame(`protobuf: wire type ${wire} is not in use`);
  if (position > to) throw new BrokenFrame('protobuf: a field runs over the end of its message');
}

/** Reads the message in `bytes[from, to)` into `draft`. @throws BrokenFrame */
export function readMessage<D>(bytes: Buffer, from: number, to: number, fields: Fields<D>, draft: D): D {
  position = from;
  while (position < to) {
    const tag = varint(bytes, to);
    const field = fields[tag >>> 3];
    const wire = tag & 7;
    if (!field) skip(bytes, to, wire);
    else if (field.wire !== wire)
      throw new BrokenFrame(`protobuf: field ${tag >>> 3} has wire type ${wire} instead of ${field.wire}`);
    else if (field.wire === 0) field.take(draft, varint(bytes, to));
    else {
      const end = spanEnd(bytes, to);
      field.take(draft, bytes, position, end);
      position = end;
    }
  }
  return draft;
}

export function number<D>(take: (draft: D, value: number) => void): Field<D> {
  return { wire: 0, take };
}

/** Names, uids, label keys and values: ASCII by the API server's validation, so the fast conversion is the right one. */
export function ascii<D>(take: (draft: D, text: string) => void): Field<D> {
  return { wire: 2, take: (draft, bytes, from, to) => take(draft, bytes.toString('latin1', from, to)) };
}

export function text<D>(take: (draft: D, text: string) => void): Field<D> {
  return { wire: 2, take: (draft, bytes, from, to) => take(draft, bytes.toString('utf8', from, to)) };
}

/** A nested message of which each occurrence gets a draft of its own; `take` sees it complete. */
export function message<D, C>(fields: Fields<C>, create: () => C, take: (draft: D, child: C) => void): Field<D> {
  return { wire: 2, take: (draft, bytes, from, to) => take(draft, readMessage(bytes, from, to, fields, create())) };
}

/** A nested message whose fields belong to the same draft. */
export function inline<D>(fields: Fields<D>): Field<D> {
  return { wire: 2, take: (draft, bytes, from, to) => void readMessage(bytes, from, to, fields, draft) };
}

interface Entry {
  key: string;
  from: number;
  to: number;
}

const ENTRY: Fields<Entry> = {
  1: ascii((entry, key) => {
    entry.key = key;
  }),
  2: {
    wire: 2,
    take: (entry, _bytes, from, to) => {
      entry.from = from;
      entry.to = to;
    },
  },
};

/** One entry of a map<string, string>. The value stays a span: most annotations are fat and unwanted. */
export function entry<D>(take: (draft: D, key: string, bytes: Buffer, from: number, to: number) => void): Field<D> {
  return {
    wire: 2,
    take: (draft, bytes, from, to) => {
      const found = readMessage(bytes, from, to, ENTRY, { key: '', from, to: from });
      take(draft, found.key, bytes, found.from, found.to);
    },
  };
}
