/**
 * Google Compute Engine's metadata. A request waits for a change (wait_for_change), so that a preemption, which leaves 30 seconds, is seen
 * at once. https://cloud.google.com/compute/docs/metadata/querying-metadata and .../getting-live-migration-notice
 */
import type { NodeSignal } from '../api/node-signal.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import { type MetadataAnswer, type MetadataClient, parseAnswer, refused } from './metadata-client.ts';
import { type Source, timeOf, timeText } from './source.ts';

const INSTANCE = '/computeMetadata/v1/instance';
const WAIT_SECONDS = 30;
/** From TRUE to power-off, best effort. */
const PREEMPTED_MS = 30_000;
/** GPU machines are told about an hour ahead. */
const TERMINATE_MS = 3_600_000;
/** Live migration begins a minute after its notice. */
const MIGRATE_MS = 60_000;

/** @throws Error of one line for what is neither TRUE nor FALSE. */
export function readPreempted(body: string, since: Millis): NodeSignal[] {
  const value = body.trim();
  if (value === 'FALSE') return [];
  if (value !== 'TRUE') throw new Error('instance/preempted is neither TRUE nor FALSE');
  return [
    {
      kind: 'SpotInterruption',
      source: 'gcp',
      id: 'preempted',
      since: timeText(since),
      goneAt: timeText(since + PREEMPTED_MS),
      revocable: false,
      message: 'the machine is preempted, it is powered off within 30 s',
      started: true,
    },
  ];
}

/** @throws Error of one line for an event that is not known. */
export function readMaintenanceEvent(body: string, since: Millis): NodeSignal[] {
  const value = body.trim();
  switch (value) {
    case 'NONE':
      return [];
    case 'MIGRATE_ON_HOST_MAINTENANCE': {
      const at = timeText(since + MIGRATE_MS);
      return [
        { ...hostMaintenance(since), kind: 'Freeze', notBefore: at, goneAt: at, message: 'live migration to another host' },
      ];
    }
    case 'TERMINATE_ON_HOST_MAINTENANCE': {
      const at = timeText(since + TERMINATE_MS);
      return [
        {
          ...hostMaintenance(since),
          kind: 'Terminate',
          notBefore: at,
          goneAt: at,
          message: 'stopped for maintenance of its host',
        },
      ];
    }
    default:
      throw new Error('instance/maintenance-event is not an event that is known');
  }
}

const hostMaintenance = (since: Millis) =>
  ({ source: 'gcp', id: 'maintenance-event', since: timeText(since), revocable: false }) as const;

/** Maintenance that is planned for days ahead. The keys are written with underscores or in camel case, by the API's version. */
export function readUpcomingMaintenance(body: string, since: Millis): NodeSignal[] {
  if (body.trim() === '') return [];
  const value = parseAnswer('instance/upcoming-maintenance', body);
  if (typeof value !== 'object' || value === null) throw new Error('instance/upcoming-maintenance is not an object');
  const fields = new Map(Object.entries(value).map(([key, each]) => [key.replaceAll('_', '').toLowerCase(), String(each)]));
  if (fields.size === 0) return [];
  const notBefore = timeOf(fields.get('windowstarttime'), 'the window_start_time of instance/upcoming-maintenance');
  const status = fields.get('maintenancestatus') ?? '';
  const started = status === 'ONGOING';
  const type = (fields.get('type') ?? 'SCHEDULED').toLowerCase();
  return [
    {
      kind: 'Maintenance',
      source: 'gcp',
      id: `upcoming-${notBefore}`,
      since: timeText(since),
      notBefore,
      revocable: !started,
      message: `${type === 'unscheduled' ? 'unscheduled' : 'scheduled'} maintenance ${started ? 'is going on' : `from ${notBefore}`}${fields.get('canreschedule') === 'true' ? ', can be moved' : ''}`,
      ...(started && { started }),
    },
  ];
}

export interface GcpOptions {
  readonly client: MetadataClient;
  readonly clock: Clock;
  readonly everyMs: Millis;
  readonly timeoutMs: Millis;
}

export function gcpSources(options: GcpOptions): Source[] {
  return [
    waiting(options, 'preempted', readPreempted),
    waiting(options, 'maintenance-event', readMaintenanceEvent),
    waiting(options, 'upcoming-maintenance', readUpcomingMaintenance),
  ];
}

function waiting(
  { client, clock, everyMs, timeoutMs }: GcpOptions,
  key: string,
  read: (body: string, since: Millis) => NodeSignal[],
): Source {
  let etag: string | undefined;
  const path = `${INSTANCE}/${key}`;
  return {
    name: `gcp-${key}`,
    owns: ({ source, id }) => source === 'gcp' && (id === key || (key.startsWith('upcoming') && id.startsWith('upcoming-'))),
    everyMs,
    timeoutMs: timeoutMs + WAIT_SECONDS * 1_000,
    async read([known], signal) {
      // Without an etag it would wait for the next change and say nothing of what is there already.
      const query =
        etag === undefined ? '' : `?wait_for_change=true&timeout_sec=${WAIT_SECONDS}&last_etag=${encodeURIComponent(etag)}`;
      etag = undefined;
      const answer = await client.ask({ path: `${path}${query}`, headers: { 'Metadata-Flavor': 'Google' }, signal });
      if (isNone(key, answer)) return { signals: [] };
      if (answer.status !== 200) throw refused(`instance/${key}`, answer);
      // Another service at that address (a proxy, another cloud) is not to be believed.
      if (answer.headers['metadata-flavor'] !== 'Google')
        throw new Error(`instance/${key} was not answered by Google's metadata server`);
      // Nothing but the notice itself says when it began: the end is counted from when it was first seen, not from each answer.
      const signals = read(answer.body, known ? Date.parse(known.since) : clock.now());
      etag = answer.headers['etag'];
      return { signals };
    },
  };
}

/** Machines whose maintenance is not announced have no such key; those whose is, and have none, say so with 503. */
function isNone(key: string, { status, body }: MetadataAnswer): boolean {
  return key === 'upcoming-maintenance' && (status === 404 || (status === 503 && body.includes('no notifications')));
}
