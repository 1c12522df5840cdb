/**
 * What has been told of a maintenance, in an annotation of it: the next leader neither tells it again nor begins a new message. It is
 * written after the delivery. A process that dies between the two tells one thing twice, where it would otherwise tell it never.
 */
import { annotations } from '../api/names.ts';
import type { NodeMaintenance } from '../api/resources.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { MERGE_PATCH } from '../kube/patch.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { maintenancePath } from './custom-kinds.ts';

export interface NoticeMarks {
  /** Was it delivered, or is it about to be? @param lane see `Lane.id` */
  isTold(thread: string, lane: string, key: string): boolean;
  /** It is on its way: not to be put into the queue again. */
  notePut(thread: string, lane: string, key: string): void;
  noteDelivered(thread: string, lane: string, key: string, message: string | null): void;
  /** Of the thread, as the service named it. */
  messageOf(thread: string, lane: string): string | null;
  /** What this process remembers; the objects are read again. */
  reset(): void;
  /** Of maintenances that are no more. */
  sweep(): void;
  /** Writes what is not written yet. */
  flush(): Promise<void>;
}

export interface NoticeMarksOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly object: (maintenance: string) => NodeMaintenance | undefined;
}

interface Mark {
  readonly told: string[];
  message?: string;
}

interface Entry {
  /** By lane, and by lane and namespace: what is written. */
  readonly marks: Map<string, Mark>;
  readonly put: Set<string>;
  readonly uid: string | undefined;
  dirty: boolean;
  cancel: (() => void) | null;
  tries: number;
}

// Several channels that are told of one thing are one write.
const GATHER_MS: Millis = 300;
const RETRY_MS: Millis = 2_000;
const MAX_TRIES = 10;
const MAX_TOLD = 20;

export function createNoticeMarks({ client, clock, log, object }: NoticeMarksOptions): NoticeMarks {
  const entries = new Map<string, Entry>();
  const underWay = new Set<Promise<void>>();

  const entryOf = (thread: string): { entry: Entry; maintenance: string; suffix: string } => {
    const [maintenance = '', namespace] = thread.split('/');
    const known = object(maintenance);
    let entry = entries.get(maintenance);
    // Another one of that name. Until its creation is answered it has no uid.
    if (entry?.uid !== undefined && known?.metadata.uid !== undefined && entry.uid !== known.metadata.uid) entry = undefined;
    if (!entry) {
      entry = { marks: read(known), put: new Set(), uid: known?.metadata.uid, dirty: false, cancel: null, tries: 0 };
      entries.set(maintenance, entry);
    }
    return { entry, maintenance, suffix: namespace === undefined ? '' : `/${namespace}` };
  };

  const write = async (maintenance: string, entry: Entry) => {
    entry.cancel = null;
    if (!entry.dirty) return;
    entry.dirty = false;
    const value = JSON.stringify(Object.fromEntries(entry.marks));
    const body = { metadata: { annotations: { [annotations.notified]: value } } };
    try {
      await client.json({ method: 'PATCH', path: maintenancePath(maintenance), contentType: MERGE_PATCH, body });
      entry.tries = 0;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      entry.tries += 1;
      // Not there: its creation is on its way, or it has been deleted.
      if (entry.tries < MAX_TRIES) {
        entry.dirty = true;
        schedule(maintenance, entry, RETRY_MS);
      } else if (error.code !== 404) log.warn(`cannot note what was told of nodemaintenance ${maintenance}: ${error.message}`);
    }
  };
  const begin = (maintenance: string, entry: Entry): void => {
    const written = write(maintenance, entry).catch((error: unknown) => log.error(`unexpected: ${String(error)}`));
    underWay.add(written);
    void written.finally(() => underWay.delete(written));
  };
  const schedule = (maintenance: string, entry: Entry, ms: Millis): void => {
    entry.cancel ??= clock.after(ms, () => begin(maintenance, entry));
  };

  return {
    isTold(thread, lane, key) {
      const { entry, suffix } = entryOf(thread);
      return entry.put.has(`${lane}${suffix} ${key}`) || (entry.marks.get(`${lane}${suffix}`)?.told.includes(key) ?? false);
    },
    notePut(thread, lane, key) {
      const { entry, suffix } = entryOf(thread);
      entry.put.add(`${lane}${suffix} ${key}`);
    },
    noteDelivered(thread, lane, key, message) {
      const { entry, maintenance, suffix } = entryOf(thread);
      const name = `${lane}${suffix}`;
      const mark = entry.marks.get(name) ?? { told: [] };
      if (!mark.told.includes(key)) mark.told.push(key);
      mark.told.splice(0, mark.told.length - MAX_TOLD);
      if (message !== null) mark.message = message;
      entry.marks.set(name, mark);
      entry.dirty = true;
      entry.tries = 0;
      schedule(maintenance, entry, GATHER_MS);
    },
    messageOf(thread, lane) {
      const { entry, suffix } = entryOf(thread);
      return entry.marks.get(`${lane}${suffix}`)?.message ?? null;
    },
    reset() {
      for (const [maintenance, { dirty }] of entries) if (!dirty) entries.delete(maintenance);
    },
    sweep() {
      for (const [maintenance, { dirty }] of entries) if (!dirty && !object(maintenance)) entries.delete(maintenance);
    },
    async flush() {
      for (const [maintenance, entry] of entries) {
        entry.cancel?.();
        entry.tries = MAX_TRIES; // no further try is waited for
        if (entry.dirty) begin(maintenance, entry);
      }
      await Promise.all(underWay);
    },
  };
}

/** Whatever somebody has written there; what is no mark is left out. */
function read(object: NodeMaintenance | undefined): Map<string, Mark> {
  const marks = new Map<string, Mark>();
  const text = object?.metadata.annotations?.[annotations.notified];
  if (text === undefined) return marks;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return marks;
  }
  for (const [lane, mark] of Object.entries(value ?? {})) {
    const { told, message } = (mark ?? {}) as { told?: unknown; message?: unknown };
    if (!Array.isArray(told)) continue;
    const keys = told.filter((each): each is string => typeof each === 'string').slice(-MAX_TOLD);
    marks.set(lane, { told: keys, ...(typeof message === 'string' && { message }) });
  }
  return marks;
}
