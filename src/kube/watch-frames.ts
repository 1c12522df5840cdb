/** Cuts a watch stream into frames and decodes them; also whole list pages. The answered content type decides between protobuf and JSON. */
import type { ObjectMeta } from '../api/objects.ts';
import type { ServerEvent, Status } from './client.ts';
import type { ResourceKind } from './kinds.ts';
import { INITIAL_EVENTS_END, openWatchFrame, readBookmark, readPage, readStatus } from './proto-envelope.ts';
import { BrokenFrame } from './proto-reader.ts';
import type { RawMeta } from './raw.ts';

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** An object that the kind's decoder leaves out. */
  | { readonly type: 'LEFT_OUT'; readonly uid: string; readonly resourceVersion: string }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly endsInitialEvents: boolean }
  | { readonly type: 'ERROR'; readonly status: Status };

export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue: string;
}

/** No object of etcd comes near this; a longer length is a corrupt one, and waiting for its end would be waiting for ever. */
const MAX_FRAME_BYTES = 64 << 20;
const NEWLINE = 0x0a;

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

export function isProtobuf(contentType: string): boolean {
  return contentType.startsWith(PROTOBUF);
}

/**
 * Takes chunks, hands out whole frames. A frame may be a view on the chunk: copy what outlives the call (strings do).
 * JSON is cut on bytes before it is decoded, or a character across two chunks would break.
 */
export function createFrameCutter(contentType: string, onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer[] = [];
  let restBytes = 0;
  const keep = (chunk: Buffer) => {
    if (chunk.length === 0) return;
    rest.push(chunk);
    restBytes += chunk.length;
    if (restBytes > MAX_FRAME_BYTES) throw new BrokenFrame(`a watch frame of more than ${MAX_FRAME_BYTES} bytes`);
  };
  const takeRest = (chunk: Buffer): Buffer => {
    if (restBytes === 0) return chunk;
    const whole = Buffer.concat([...rest, chunk]);
    rest = [];
    restBytes = 0;
    return whole;
  };
  if (!isProtobuf(contentType)) {
    return (chunk) => {
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        const frame = takeRest(chunk.subarray(from, end));
        from = end + 1;
        if (frame.length > 0) onFrame(frame);
      }
      keep(chunk.subarray(from));
    };
  }
  let needed = 4;
  return (chunk) => {
    if (restBytes + chunk.length < needed) return keep(chunk);
    const bytes = takeRest(chunk);
    let from = 0;
    for (;;) {
      if (bytes.length - from < 4) {
        needed = 4;
        break;
      }
      const length = bytes.readUInt32BE(from);
      if (length > MAX_FRAME_BYTES) throw new BrokenFrame(`a watch frame of ${length} bytes`);
      if (bytes.length - from < 4 + length) {
        needed = 4 + length;
        break;
      }
      onFrame(bytes.subarray(from + 4, from + 4 + length));
      from += 4 + length;
    }
    // Copied: a view would keep the whole chunk alive for as long as the watch is quiet.
    keep(Buffer.from(bytes.subarray(from)));
  };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's own message quotes the text, which may be anybody's data.
    throw new BrokenFrame(`JSON: ${bytes.length} bytes that are not JSON`);
  }
}

/** An event whose JSON is parsed already. @throws BrokenFrame */
function decodeParsedEvent<T extends ObjectMeta>(kind: ResourceKind<T>, parsed: unknown): WatchEvent<T> {
  const event = parsed as { type?: string; object?: { metadata?: RawMeta } } | null;
  switch (event?.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const object = kind.decodeJson(event.object);
      const { uid = '', resourceVersion = '' } = event.object?.metadata ?? {};
      return object ? { type: event.type, object } : { type: 'LEFT_OUT', uid, resourceVersion };
    }
    case 'BOOKMARK': {
      const meta = event.object?.metadata;
      return {
        type: 'BOOKMARK',
        resourceVersion: meta?.resourceVersion ?? '',
        endsInitialEvents: meta?.annotations?.[INITIAL_EVENTS_END] === 'true',
      };
    }
    case 'ERROR':
      return { type: 'ERROR', status: (event.object ?? {}) as Status };
    default:
      throw new BrokenFrame(`JSON: a watch event of type ${JSON.stringify(event?.type)?.slice(0, 40)}`);
  }
}

const shared = new WeakMap<object, WeakMap<object, ObjectMeta>>();

/**
 * An event of a server in this process, whose objects never change and come by several watches: a pod of a node is one of a namespace, too.
 * `keep`: it is told to the others at this time. @throws BrokenFrame
 */
export function decodeSharedEvent<T extends ObjectMeta>(kind: ResourceKind<T>, event: ServerEvent, keep: boolean): WatchEvent<T> {
  const { type, object } = event;
  if ((type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') || typeof object !== 'object' || object === null)
    return decodeParsedEvent(kind, event);
  const known = shared.get(kind)?.get(object) as T | undefined;
  if (known) return { type, object: known };
  const decoded = decodeParsedEvent(kind, event);
  if (!keep || !('object' in decoded)) return decoded;
  let objects = shared.get(kind);
  if (!objects) shared.set(kind, (objects = new WeakMap()));
  objects.set(object, decoded.object);
  return decoded;
}

/** @throws BrokenFrame */
export function decodeEvent<T extends ObjectMeta>(kind: ResourceKind<T>, contentType: string, frame: Buffer): WatchEvent<T> {
  if (!isProtobuf(contentType)) return decodeParsedEvent(kind, parse(frame));
  const { type, from, to } = openWatchFrame(frame);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: decodeProto(kind, frame, from, to) };
    case 'BOOKMARK':
      return { type, ...readBookmark(frame, from, to) };
    case 'ERROR':
      return { type, status: readStatus(frame, from, to) };
    default:
      throw new BrokenFrame(`protobuf: a watch event of type ${JSON.stringify(type).slice(0, 40)}`);
  }
}

function decodeProto<T extends ObjectMeta>(kind: ResourceKind<T>, bytes: Buffer, from: number, to: number): T {
  if (!kind.decodeProto) throw new BrokenFrame(`${kind.kind}: answered in protobuf, which was not asked for`);
  return kind.decodeProto(bytes, from, to);
}

/** @throws BrokenFrame */
export function decodePage<T extends ObjectMeta>(kind: ResourceKind<T>, contentType: string, body: Buffer): Page<T> {
  if (isProtobuf(contentType)) return readPage(body, (bytes, from, to) => decodeProto(kind, bytes, from, to));
  const page = parse(body) as { metadata?: { resourceVersion?: string; continue?: string }; items?: unknown[] | null } | null;
  if (typeof page?.metadata?.resourceVersion !== 'string') throw new BrokenFrame('JSON: a list without metadata.resourceVersion');
  return {
    items: (page.items ?? []).flatMap((item) => kind.decodeJson(item) ?? []),
    resourceVersion: page.metadata.resourceVersion,
    continue: page.metadata.continue ?? '',
  };
}
