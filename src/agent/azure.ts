/**
 * Azure Scheduled Events. An event is told for as long as it lasts: what is no longer in the list is over, or was cancelled.
 * https://learn.microsoft.com/azure/virtual-machines/linux/scheduled-events
 */
import type { NodeSignal, SignalKind } from '../api/node-signal.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Emptied } from './emptied.ts';
import { type MetadataClient, parseAnswer, refused } from './metadata-client.ts';
import { oneLine, type Source, timeOf, timeText } from './source.ts';

const PATH = '/metadata/scheduledevents?api-version=2020-07-01';
const WHAT = 'Azure Scheduled Events';

// The others keep their names. Preempt is what the other clouds call a spot interruption.
const kindOf: Readonly<Record<string, SignalKind>> = { Preempt: 'SpotInterruption' };

/** Whoever asked for it, or the machine's end, is not changed by waiting. */
const final: ReadonlySet<string> = new Set(['Preempt', 'Terminate']);

/** One that has been announced and has not begun, with all the machines that it touches. */
export interface AnnouncedEvent {
  readonly id: string;
  readonly resources: readonly string[];
}

export interface AzureEvents {
  /** Rises with every change of the list; null where the service has not been switched on yet. */
  readonly incarnation: number | null;
  readonly signals: readonly NodeSignal[];
  readonly announced: readonly AnnouncedEvent[];
}

export interface AzureMachine {
  /** The VM's name as the service lists it under Resources. */
  readonly resource: string;
  readonly now: Millis;
  readonly earlier: readonly NodeSignal[];
  /** A good answer has been seen since the start: an event that is new and Started then was never Scheduled. */
  readonly hasLooked: boolean;
}

/** @throws Error of one line when the document is none. Events of other machines are left out: each is broadcast to all of a placement group. */
export function readScheduledEvents(body: string, machine: AzureMachine): AzureEvents {
  // The first call switches the feature on, and may be answered with nothing.
  if (body.trim() === '') return { incarnation: null, signals: [], announced: [] };
  const document = parseAnswer(WHAT, body) as { DocumentIncarnation?: unknown; Events?: unknown } | null;
  if (typeof document !== 'object' || document === null || !Array.isArray(document.Events))
    throw new Error(`${WHAT} answered a document without Events`);
  const events = document.Events.map((event: unknown, index) => eventOf(event, index));
  const own = events.filter(({ resources }) => resources.some((name) => name.toLowerCase() === machine.resource.toLowerCase()));
  return {
    incarnation: typeof document.DocumentIncarnation === 'number' ? document.DocumentIncarnation : null,
    signals: own.map((event) => signalOf(event, machine)),
    announced: own.filter(({ started }) => !started),
  };
}

interface AzureEvent {
  readonly id: string;
  readonly type: string;
  readonly started: boolean;
  readonly resources: readonly string[];
  /** Empty once it has started. */
  readonly notBefore: string;
  readonly description: string;
  readonly byUser: boolean;
  /** -1: not known; 0: nothing is felt. */
  readonly seconds: number;
}

function eventOf(event: unknown, index: number): AzureEvent {
  const fields = (typeof event === 'object' && event !== null ? event : {}) as Readonly<Record<string, unknown>>;
  const text = (key: string) => {
    const value = fields[key];
    return typeof value === 'string' ? value : '';
  };
  const { Resources: resources, DurationInSeconds: seconds } = fields;
  if (text('EventId') === '' || text('EventType') === '')
    throw new Error(`${WHAT}: Events[${index}] has no EventId or EventType`);
  if (!Array.isArray(resources) || !resources.every((each) => typeof each === 'string'))
    throw new Error(`${WHAT}: Events[${index}].Resources is not a list of names`);
  return {
    id: text('EventId'),
    type: text('EventType'),
    started: text('EventStatus') === 'Started',
    resources,
    notBefore: text('NotBefore') === '' ? '' : timeOf(text('NotBefore'), `${WHAT}: Events[${index}].NotBefore`),
    description: text('Description'),
    byUser: text('EventSource') === 'User',
    seconds: typeof seconds === 'number' ? seconds : -1,
  };
}

function signalOf(event: AzureEvent, { now, earlier, hasLooked }: AzureMachine): NodeSignal {
  const known = earlier.find(({ id }) => id === event.id);
  const { type, started, seconds } = event;
  // A machine whose host broke is told as a Reboot or Redeploy that has begun, without the notice that every other one has.
  const broke = started && !event.byUser && hasLooked && !known && (type === 'Reboot' || type === 'Redeploy');
  // What an event was taken for the first time it stays: it must not change its kind when it begins.
  const kind = known?.kind ?? (broke ? 'HardwareFailure' : (kindOf[type] ?? type));
  const since = known?.since ?? timeText(now);
  const notBefore = event.notBefore === '' ? known?.notBefore : event.notBefore;
  const felt = seconds !== 0;
  const goneAt = felt ? (notBefore ?? (started ? since : undefined)) : undefined;
  const impact = seconds > 0 ? `, ${seconds} s` : seconds === 0 ? ', without impact' : '';
  const description = event.description === '' ? '' : `: ${event.description}`;
  return {
    kind,
    source: 'azure',
    id: event.id,
    since,
    ...(notBefore !== undefined && { notBefore }),
    ...(goneAt !== undefined && { goneAt }),
    revocable: !started && !final.has(type),
    message: oneLine(
      `${type} ${started ? 'started' : 'scheduled'} by ${event.byUser ? 'the user' : 'the platform'}${impact}${description}`,
    ),
    ...(started && { started }),
  };
}

export interface AzureOptions {
  readonly client: MetadataClient;
  readonly clock: Clock;
  readonly resource: string;
  readonly everyMs: Millis;
  readonly timeoutMs: Millis;
  readonly log: Log;
  /** Events are not acknowledged where it is null: each begins when it was announced for. */
  readonly emptied: Emptied | null;
}

export function azureSource({ client, clock, resource, everyMs, timeoutMs, log, emptied }: AzureOptions): Source {
  let hasLooked = false;
  const acknowledged = new Set<string>();
  let told = '';

  /** "It may begin now": nobody is left on the machines, and to wait longer only keeps them out. */
  const acknowledge = async ({ id, resources }: AnnouncedEvent, signal: AbortSignal) => {
    if (acknowledged.has(id) || !(await emptied?.({ id, machines: resources.length }))) return;
    const body = JSON.stringify({ StartRequests: [{ EventId: id }] });
    const answer = await client.ask({ method: 'POST', path: PATH, headers: { Metadata: 'true' }, body, signal });
    if (answer.status !== 200) throw refused(`${WHAT} (StartRequests)`, answer);
    acknowledged.add(id);
    log.info('told Azure that the event may begin: what it touches is drained', { id, machines: resources.join(' ') });
  };
  return {
    name: 'azure',
    everyMs,
    timeoutMs,
    owns: ({ source }) => source === 'azure',
    async read(earlier, signal) {
      const answer = await client.ask({ path: PATH, headers: { Metadata: 'true' }, signal });
      if (answer.status !== 200) throw refused(WHAT, answer);
      const { signals, incarnation, announced } = readScheduledEvents(answer.body, {
        resource,
        now: clock.now(),
        earlier,
        hasLooked,
      });
      hasLooked ||= incarnation !== null;
      // What was read holds, whatever becomes of the acknowledgement; it is tried again with the next reading.
      try {
        for (const event of announced) await acknowledge(event, signal);
        told = '';
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (message !== told) log.warn(`cannot tell Azure that an event may begin: ${message}`);
        told = message;
      }
      return { signals };
    },
  };
}

/**
 * The machine's name among the Resources of an event: "VMSS_7" of a scale set, the VM's own name otherwise.
 * null when the providerID is none of Azure's.
 */
export function azureResourceOf(providerId: string): string | null {
  const scaleSet = /^azure:\/\/.*\/virtualMachineScaleSets\/([^/]+)\/virtualMachines\/([^/]+)$/i.exec(providerId);
  // With flexible orchestration the last part is the VM's own name, which begins with that of its set.
  if (scaleSet?.[1] !== undefined && scaleSet[2] !== undefined)
    return /^\d+$/.test(scaleSet[2]) ? `${scaleSet[1]}_${scaleSet[2]}` : scaleSet[2];
  return /^azure:\/\/.*\/virtualMachines\/([^/]+)$/i.exec(providerId)?.[1] ?? null;
}
