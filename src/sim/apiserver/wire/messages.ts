/** The field table as a structure, read when first asked for. */
import { fieldTable } from './field-table.ts';

export type Scalar = 'string' | 'i' | 'B' | 'b' | 'T' | 'M' | 'D' | 'Q' | 'X' | 'R' | 'L';

export interface FieldType {
  readonly number: number;
  /** Undefined: the message's fields stand beside the others in JSON. */
  readonly name: string | undefined;
  /** Its zero value is something else than its absence. */
  readonly pointer: boolean;
  readonly list: boolean;
  readonly map: boolean;
  readonly scalar: Scalar | undefined;
  /** Name of a message, when it is no scalar. */
  readonly message: string;
}

const SCALARS: ReadonlySet<string> = new Set(['string', 'i', 'B', 'b', 'T', 'M', 'D', 'Q', 'X', 'R', 'L']);

let messages: Map<string, readonly FieldType[]> | undefined;

function fieldOf(text: string): FieldType {
  const [number = '', name = '', code = ''] = text.split(' ');
  const [, pointer = '', shape = '', named = ''] = /^(\*?)(\[\]|\{\})?(.*)$/.exec(code) ?? [];
  const type = named === '' ? 'string' : named;
  return {
    number: Number(number),
    name: name === '-' ? undefined : name,
    pointer: pointer !== '',
    list: shape === '[]',
    map: shape === '{}',
    scalar: SCALARS.has(type) ? (type as Scalar) : undefined,
    message: type,
  };
}

function readTable(): Map<string, readonly FieldType[]> {
  const lines = fieldTable.trim().split('\n');
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(':');
      const fields = line.slice(at + 1).trim();
      return [line.slice(0, at), fields === '' ? [] : fields.split(', ').map(fieldOf)];
    }),
  );
}

/** Undefined for what is no built-in message. */
export function fieldsOfMessage(name: string): readonly FieldType[] | undefined {
  messages ??= readTable();
  return messages.get(name);
}

/** The message of a kind; two groups have an Event. */
export const messageOfKind = (group: string, kind: string) => (group === 'events.k8s.io' ? `events.${kind}` : kind);
