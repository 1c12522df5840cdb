/**
 * Azure's instance metadata as far as Scheduled Events go. Wire format and refusals as documented:
 * https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
 */
import { jsonReply, type MetadataCall, type MetadataReply, type MetadataService } from './service.ts';

export type AzureEventType = 'Freeze' | 'Reboot' | 'Redeploy' | 'Preempt' | 'Terminate';

export interface ScheduledEvent {
  readonly EventId: string;
  readonly EventStatus: 'Scheduled' | 'Started';
  readonly EventType: AzureEventType;
  readonly ResourceType: 'VirtualMachine';
  readonly Resources: readonly string[];
  /** RFC 1123; empty once it has started. */
  readonly NotBefore: string;
  readonly Description: string;
  readonly EventSource: 'Platform' | 'User';
  readonly DurationInSeconds: number;
}

export interface AzureMetadata extends MetadataService {
  schedule(event: Pick<ScheduledEvent, 'EventId' | 'EventType' | 'Resources'> & Partial<ScheduledEvent>): void;
  /** It begins: what the platform does, or somebody's approval. */
  start(eventId: string): void;
  /** It is over, or was cancelled: the service says both by not listing it any more. */
  remove(eventId: string): void;
  /** Until then every answer is empty, as that of the first call may be for two minutes. */
  answerNothing(empty: boolean): void;
  events(): readonly ScheduledEvent[];
}

const versions = ['2020-07-01', '2019-08-01', '2019-04-01', '2019-01-01', '2017-11-01', '2017-08-01'];

export function createAzureMetadata(): AzureMetadata {
  let events: readonly ScheduledEvent[] = [];
  let incarnation = 1;
  let empty = false;
  const change = (next: readonly ScheduledEvent[]) => {
    events = next;
    incarnation += 1;
  };
  const start = (eventId: string) =>
    change(events.map((event) => (event.EventId === eventId ? { ...event, EventStatus: 'Started', NotBefore: '' } : event)));

  const approve = ({ body }: MetadataCall): MetadataReply => {
    let requests: unknown;
    try {
      requests = (JSON.parse(body) as { StartRequests?: unknown }).StartRequests;
    } catch {
      requests = null;
    }
    if (!Array.isArray(requests)) return jsonReply({ error: 'Bad request. StartRequests is missing.' }, 400);
    for (const { EventId } of requests as { EventId: string }[]) start(EventId);
    return jsonReply({});
  };

  return {
    prefix: '/metadata/',
    answer(call) {
      const { headers, path, method, query } = call;
      if (headers['metadata'] !== 'true') return jsonReply({ error: 'Bad request. Required metadata header not specified' }, 400);
      if (headers['x-forwarded-for'] !== undefined)
        return jsonReply({ error: 'Bad request. Forwarded requests are refused' }, 400);
      if (path !== '/metadata/scheduledevents') return jsonReply({ error: 'Not found' }, 404);
      const version = query.get('api-version');
      if (version === null || !versions.includes(version))
        return jsonReply({ error: 'Bad request. api-version is invalid or was not specified', 'newest-versions': versions }, 400);
      if (method === 'POST') return approve(call);
      if (method !== 'GET') return jsonReply({ error: 'Method not allowed' }, 405);
      return empty ? { status: 200, body: '' } : jsonReply({ DocumentIncarnation: incarnation, Events: events });
    },
    schedule(event) {
      const full: ScheduledEvent = {
        EventStatus: 'Scheduled',
        ResourceType: 'VirtualMachine',
        NotBefore: '',
        Description: '',
        EventSource: 'Platform',
        DurationInSeconds: -1,
        ...event,
      };
      change([...events.filter(({ EventId }) => EventId !== event.EventId), full]);
    },
    start,
    remove: (eventId) => change(events.filter(({ EventId }) => EventId !== eventId)),
    answerNothing(now) {
      empty = now;
    },
    events: () => events,
  };
}
