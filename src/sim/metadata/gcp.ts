/**
 * Google Compute Engine's metadata server as far as notices go, with wait_for_change. Wire format as documented:
 * https://cloud.google.com/compute/docs/metadata/querying-metadata
 */
import type { Clock } from '../../lib/clock.ts';
import { type MetadataReply, type MetadataService, textReply } from './service.ts';

const INSTANCE = '/computeMetadata/v1/instance';

export type GcpMaintenanceEvent = 'NONE' | 'MIGRATE_ON_HOST_MAINTENANCE' | 'TERMINATE_ON_HOST_MAINTENANCE';

export interface GcpMetadata extends MetadataService {
  preempt(preempted: boolean): void;
  maintenanceEvent(event: GcpMaintenanceEvent): void;
  /** null: there is none, and the server says so in its own way (503). */
  upcomingMaintenance(maintenance: Readonly<Record<string, string>> | null): void;
}

interface Entry {
  readonly reply: MetadataReply;
  readonly etag: string;
}

const noNotice = textReply('{"error": "no notifications have been received yet, try again later"}', 503);

export function createGcpMetadata(clock: Clock): GcpMetadata {
  const entries = new Map<string, Entry>();
  const waiting = new Set<() => void>();
  let changes = 0;
  const set = (key: string, reply: MetadataReply) => {
    changes += 1;
    entries.set(`${INSTANCE}/${key}`, { reply, etag: (0x9f00 + changes).toString(16) });
    for (const wake of waiting) wake();
  };
  set('preempted', textReply('FALSE'));
  set('maintenance-event', textReply('NONE'));
  set('upcoming-maintenance', noNotice);

  const changed = (path: string, lastEtag: string, timeoutMs: number | null, closed: AbortSignal) =>
    new Promise<void>((resolve) => {
      const cancel = timeoutMs === null ? () => {} : clock.after(timeoutMs, () => end());
      const end = () => {
        cancel();
        waiting.delete(look);
        closed.removeEventListener('abort', end);
        resolve();
      };
      const look = () => {
        if (entries.get(path)?.etag !== lastEtag) end();
      };
      waiting.add(look);
      closed.addEventListener('abort', end, { once: true });
      look();
    });

  return {
    prefix: '/computeMetadata/',
    async answer({ path, headers, query }, closed) {
      if (headers['metadata-flavor'] !== 'Google') return textReply('Forbidden', 403);
      const found = entries.get(path);
      if (!found) return textReply('Not Found', 404, { 'Metadata-Flavor': 'Google' });
      if (query.get('wait_for_change') === 'true') {
        const seconds = query.get('timeout_sec');
        await changed(path, query.get('last_etag') ?? found.etag, seconds === null ? null : Number(seconds) * 1_000, closed);
      }
      const { reply, etag } = entries.get(path) ?? found;
      return { ...reply, headers: { ...reply.headers, 'Metadata-Flavor': 'Google', ETag: etag } };
    },
    preempt: (preempted) => set('preempted', textReply(preempted ? 'TRUE' : 'FALSE')),
    maintenanceEvent: (event) => set('maintenance-event', textReply(event)),
    upcomingMaintenance: (maintenance) =>
      set('upcoming-maintenance', maintenance ? textReply(JSON.stringify(maintenance)) : noNotice),
  };
}
