/**
 * Request bodies in protobuf: generated Go clients from 1.32 on send them for every built-in kind, so `kubectl create deployment` and
 * `kubectl auth can-i` do. Answers are JSON all the same, which those clients accept.
 */
import { BrokenFrame, type Field, type Fields, readMessage } from '../../../kube/proto-reader.ts';
import { badRequest } from '../refusals.ts';
import { type FieldType, fieldsOfMessage, messageOfKind, type Scalar } from './messages.ts';

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

type Draft = Record<string, unknown>;

interface Envelope {
  apiVersion: string;
  kind: string;
  from: number;
  to: number;
}

const MAGIC = 'k8s\0';

const utf8 = (bytes: Buffer, from: number, to: number) => bytes.toString('utf8', from, to);

/** runtime.Unknown: typeMeta = 1 (apiVersion = 1, kind = 2), raw = 2. */
const ENVELOPE: Fields<Envelope> = {
  1: {
    wire: 2,
    take: (envelope, bytes, from, to) => {
      const fields: Fields<Envelope> = {
        1: { wire: 2, take: (it, text, start, end) => void (it.apiVersion = utf8(text, start, end)) },
        2: { wire: 2, take: (it, text, start, end) => void (it.kind = utf8(text, start, end)) },
      };
      readMessage(bytes, from, to, fields, envelope);
    },
  },
  2: {
    wire: 2,
    take: (envelope, _bytes, from, to) => {
      envelope.from = from;
      envelope.to = to;
    },
  },
};

/** The numbers and texts of a small message of its own, by field number. */
function parts(bytes: Buffer, from: number, to: number): { numbers: number[]; texts: string[] } {
  const draft = { numbers: [] as number[], texts: [] as string[] };
  const field = (number: number, wire: 0 | 2): Field<typeof draft> =>
    wire === 0
      ? { wire, take: (it, value) => void (it.numbers[number] = value) }
      : { wire, take: (it, data, start, end) => void (it.texts[number] = utf8(data, start, end)) };
  return readMessage(bytes, from, to, { 1: field(1, 0), 2: field(2, 0), 3: field(3, 2) }, draft);
}

function timeText(bytes: Buffer, from: number, to: number, micro: boolean): string | undefined {
  const [, seconds, nanos = 0] = parts(bytes, from, to).numbers;
  if (seconds === undefined) return undefined;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return micro ? `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${text}Z`;
}

/** The first field of a message, which is a text. */
function inner(bytes: Buffer, from: number, to: number): string {
  const draft = { text: '' };
  const fields: Fields<typeof draft> = {
    1: { wire: 2, take: (it, data, start, end) => void (it.text = utf8(data, start, end)) },
  };
  return readMessage(bytes, from, to, fields, draft).text;
}

function innerList(bytes: Buffer, from: number, to: number): string[] {
  const fields: Fields<string[]> = { 1: { wire: 2, take: (list, data, start, end) => void list.push(utf8(data, start, end)) } };
  return readMessage(bytes, from, to, fields, []);
}

const GO_UNITS: readonly (readonly [string, number])[] = [
  ['h', 3600e9],
  ['m', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
];

function goDuration(nanos: number): string {
  let rest = nanos;
  let text = '';
  for (const [unit, size] of GO_UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text || '0s';
}

const spans: Readonly<Record<Exclude<Scalar, 'i' | 'B'>, (bytes: Buffer, from: number, to: number) => unknown>> = {
  string: utf8,
  b: (bytes, from, to) => bytes.toString('base64', from, to),
  T: (bytes, from, to) => timeText(bytes, from, to, false),
  M: (bytes, from, to) => timeText(bytes, from, to, true),
  D: (bytes, from, to) => goDuration(parts(bytes, from, to).numbers[1] ?? 0),
  Q: inner,
  X: (bytes, from, to) => {
    const { numbers, texts } = parts(bytes, from, to);
    return numbers[1] === 1 ? (texts[3] ?? '') : (numbers[2] ?? 0);
  },
  R: (bytes, from, to) => {
    const raw = inner(bytes, from, to);
    return raw === '' ? undefined : (JSON.parse(raw) as unknown);
  },
  L: innerList,
};

function spanValue(type: FieldType, bytes: Buffer, from: number, to: number): unknown {
  const { scalar, message } = type;
  if (scalar === undefined) return readMessage(bytes, from, to, fieldsFor(message), {});
  return spans[scalar as Exclude<Scalar, 'i' | 'B'>](bytes, from, to);
}

const isZero = (value: unknown) =>
  value === '' ||
  value === 0 ||
  value === false ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

/** Go writes every field that is no pointer, also where JSON would leave it out. */
function put(draft: Draft, { name = '', pointer, list }: FieldType, value: unknown): void {
  if (value === undefined) return;
  if (list) {
    const before = draft[name];
    if (Array.isArray(before)) before.push(value);
    else draft[name] = [value];
  } else if (pointer || !isZero(value)) draft[name] = value;
}

function mapField(type: FieldType): Field<Draft> {
  const entry: Fields<{ key: string; value: unknown }> = {
    1: { wire: 2, take: (it, bytes, from, to) => void (it.key = utf8(bytes, from, to)) },
    2: { wire: 2, take: (it, bytes, from, to) => void (it.value = spanValue(type, bytes, from, to)) },
  };
  const name = type.name ?? '';
  return {
    wire: 2,
    take: (draft, bytes, from, to) => {
      const { key, value } = readMessage(bytes, from, to, entry, { key: '', value: '' });
      draft[name] = { ...(draft[name] as Draft | undefined), [key]: value };
    },
  };
}

function fieldFor(type: FieldType): Field<Draft> {
  if (type.name === undefined) {
    return { wire: 2, take: (draft, bytes, from, to) => void readMessage(bytes, from, to, fieldsFor(type.message), draft) };
  }
  if (type.map) return mapField(type);
  if (type.scalar === 'i') return { wire: 0, take: (draft, value) => put(draft, type, value) };
  if (type.scalar === 'B') return { wire: 0, take: (draft, value) => put(draft, type, value !== 0) };
  return { wire: 2, take: (draft, bytes, from, to) => put(draft, type, spanValue(type, bytes, from, to)) };
}

const built = new Map<string, Fields<Draft>>();

function fieldsFor(message: string): Fields<Draft> {
  let fields = built.get(message);
  if (!fields) {
    fields = Object.fromEntries((fieldsOfMessage(message) ?? []).map((type) => [type.number, fieldFor(type)]));
    built.set(message, fields);
  }
  return fields;
}

/** Undefined when the kind is not one whose fields are known here: the client gets 415. @throws Failure 400 */
export function protobufBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    if (bytes.toString('latin1', 0, 4) !== MAGIC)
      throw new BrokenFrame('protobuf: the object does not start with the magic number "k8s"');
    const { apiVersion, kind, from, to } = readMessage(bytes, 4, bytes.length, ENVELOPE, {
      apiVersion: '',
      kind: '',
      from: 0,
      to: 0,
    });
    const message = messageOfKind(apiVersion.split('/').slice(0, -1).join(''), kind);
    if (!fieldsOfMessage(message)) return undefined;
    return { kind, apiVersion, ...readMessage(bytes, from, to, fieldsFor(message), {}) };
  } catch (error) {
    if (error instanceof BrokenFrame || error instanceof SyntaxError)
      throw badRequest(`the object provided is unrecognized: ${error.message}`);
    throw error;
  }
}
