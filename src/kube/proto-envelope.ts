/** What wraps objects on the wire: the `k8s\0` envelope, list pages, watch frames, bookmarks and Status, in protobuf. */
import type { Status } from './client.ts';
import { ascii, BrokenFrame, entry, type Fields, inline, message, number, readMessage, text } from './proto-reader.ts';

export interface Span {
  from: number;
  to: number;
}

/** Magic number of every protobuf body: k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go, protoEncodingPrefix. */
const PREFIX = Buffer.from('k8s\0', 'latin1');

const spanOf = <D extends Span>(draft: D, _bytes: Buffer, from: number, to: number): void => {
  draft.from = from;
  draft.to = to;
};

/** runtime.Unknown: the object's own message is `raw`. */
const UNKNOWN: Fields<Span> = { 2: { wire: 2, take: spanOf } };

/** The object's message inside the envelope `bytes[from, to)`. @throws BrokenFrame when the magic number is missing. */
export function openEnvelope(bytes: Buffer, from: number, to: number): Span {
  if (to - from < 4 || bytes.compare(PREFIX, 0, 4, from, from + 4) !== 0) {
    throw new BrokenFrame('protobuf: the object does not start with the magic number "k8s"');
  }
  return readMessage(bytes, from + 4, to, UNKNOWN, { from: to, to });
}

interface PageDraft<T> {
  resourceVersion: string;
  continue: string;
  items: T[];
}

/** A whole list body. */
export function readPage<T>(body: Buffer, decode: (bytes: Buffer, from: number, to: number) => T): PageDraft<T> {
  const fields: Fields<PageDraft<T>> = {
    1: inline({
      2: ascii((page, version) => void (page.resourceVersion = version)),
      3: ascii((page, token) => void (page.continue = token)),
    }),
    2: { wire: 2, take: (page, bytes, from, to) => void page.items.push(decode(bytes, from, to)) },
  };
  const { from, to } = openEnvelope(body, 0, body.length);
  return readMessage(body, from, to, fields, { resourceVersion: '', continue: '', items: [] });
}

interface FrameDraft extends Span {
  type: string;
}

/** metav1.WatchEvent: type = 1, object = 2 (RawExtension: raw = 1). */
const WATCH_EVENT: Fields<FrameDraft> = {
  1: ascii((event, type) => void (event.type = type)),
  2: inline({ 1: { wire: 2, take: spanOf } }),
};

/** Type of a watch event and the span of its object's message. */
export function openWatchFrame(frame: Buffer): { type: string; from: number; to: number } {
  const event = readMessage(frame, 0, frame.length, WATCH_EVENT, { type: '', from: 0, to: 0 });
  return { type: event.type, ...openEnvelope(frame, event.from, event.to) };
}

interface BookmarkDraft {
  resourceVersion: string;
  endsInitialEvents: boolean;
}

/** Set on the bookmark that ends the initial events: apimachinery meta/v1/types.go, InitialEventsAnnotationKey. */
export const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** A bookmark is an object of the watched kind of which only these two are set. Every kind has its metadata in field 1. */
const BOOKMARK: Fields<BookmarkDraft> = {
  1: inline({
    6: ascii((bookmark, version) => void (bookmark.resourceVersion = version)),
    12: entry((bookmark, key, bytes, from, to) => {
      if (key === INITIAL_EVENTS_END && bytes.toString('latin1', from, to) === 'true') bookmark.endsInitialEvents = true;
    }),
  }),
};

export function readBookmark(bytes: Buffer, from: number, to: number): BookmarkDraft {
  return readMessage(bytes, from, to, BOOKMARK, { resourceVersion: '', endsInitialEvents: false });
}

interface CauseDraft {
  reason?: string;
  message?: string;
  field?: string;
}

interface StatusDraft {
  code?: number;
  reason?: string;
  message?: string;
  details?: { name?: string; kind?: string; uid?: string; retryAfterSeconds?: number; causes?: CauseDraft[] };
}

const CAUSE: Fields<CauseDraft> = {
  1: ascii((cause, reason) => void (cause.reason = reason)),
  2: text((cause, what) => void (cause.message = what)),
  3: text((cause, field) => void (cause.field = field)),
};

const STATUS: Fields<StatusDraft> = {
  3: text((status, what) => void (status.message = what)),
  4: ascii((status, reason) => void (status.reason = reason)),
  5: inline({
    1: text((status, name) => void ((status.details ??= {}).name = name)),
    3: text((status, kind) => void ((status.details ??= {}).kind = kind)),
    4: message(
      CAUSE,
      (): CauseDraft => ({}),
      (status, cause) => void ((status.details ??= {}).causes ??= []).push(cause),
    ),
    5: number((status, seconds) => void ((status.details ??= {}).retryAfterSeconds = seconds)),
    6: text((status, uid) => void ((status.details ??= {}).uid = uid)),
  }),
  6: number((status, code) => void (status.code = code)),
};

export function readStatus(bytes: Buffer, from: number, to: number): Status {
  return readMessage(bytes, from, to, STATUS, {});
}
