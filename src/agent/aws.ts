/**
 * AWS instance metadata, version 2: spot notices, rebalance recommendations, scheduled events, and what the Auto Scaling group wants.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
 */
import type { NodeSignal, SignalKind } from '../api/node-signal.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import { type MetadataAnswer, type MetadataClient, parseAnswer, refused } from './metadata-client.ts';
import { oneLine, type Source, timeOf, timeText } from './source.ts';

const TOKEN_SECONDS = 21_600;
/** Asked for anew when so little of its time is left. */
const RENEW_BEFORE_MS = 60_000;
const META_DATA = '/latest/meta-data';

/** The answer of one path; null when it is not there (404), which is how these services say "nothing". */
type Ask = (path: string, signal: AbortSignal) => Promise<string | null>;

/** @throws Error from it when no token is given, or the answer is none. A token that is refused (401) is replaced once per request. */
export function createImds(client: MetadataClient, clock: Clock): Ask {
  let token: { readonly value: string; readonly until: Millis } | null = null;

  let asking: Promise<string> | null = null;

  const current = (signal: AbortSignal): Promise<string> => {
    if (token && clock.now() < token.until - RENEW_BEFORE_MS) return Promise.resolve(token.value);
    // At the start every source wants one at the same time.
    asking ??= renewed(signal).finally(() => (asking = null));
    return asking;
  };

  const renewed = async (signal: AbortSignal): Promise<string> => {
    const answer = await client.ask({
      method: 'PUT',
      path: '/latest/api/token',
      headers: { 'X-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_SECONDS) },
      signal,
    });
    // Off the host's network a pod's packets have one hop too many, and IMDS then does not answer at all.
    if (answer.status !== 200) throw refused('the token of IMDSv2', answer);
    // It goes into a header: what is no token (a captive page) would be refused by Node with its text in the error.
    if (!/^[\x21-\x7e]{1,1024}$/.test(answer.body)) throw new Error('IMDSv2 answered something that is not a token');
    const seconds = Number(answer.headers['x-aws-ec2-metadata-token-ttl-seconds'] ?? TOKEN_SECONDS);
    token = { value: answer.body, until: clock.now() + (seconds > 0 ? seconds : TOKEN_SECONDS) * 1_000 };
    return token.value;
  };

  return async (path, signal) => {
    const get = async (): Promise<MetadataAnswer> =>
      client.ask({ path, headers: { 'X-aws-ec2-metadata-token': await current(signal) }, signal });
    let answer = await get();
    if (answer.status === 401) {
      token = null;
      answer = await get();
    }
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw refused(path.replace(META_DATA, 'IMDS'), answer);
    return answer.body;
  };
}

/** @throws Error of one line for what is not an instance action. */
export function readSpotAction(body: string, now: Millis): NodeSignal {
  const { action, time } = object('spot/instance-action', body);
  if (typeof action !== 'string' || !/^[a-z-]{1,32}$/.test(action)) throw new Error('spot/instance-action has no action');
  const at = timeOf(time, 'the time of spot/instance-action');
  return {
    kind: 'SpotInterruption',
    source: 'aws',
    id: `${action}-${at}`,
    since: timeText(now),
    notBefore: at,
    goneAt: at,
    revocable: false,
    message: `the spot instance is interrupted (${action}) at ${at}`,
  };
}

export function readRebalance(body: string): NodeSignal {
  const since = timeOf(object('rebalance', body)['noticeTime'], 'the noticeTime of rebalance');
  return {
    kind: 'RebalanceRecommendation',
    source: 'aws',
    id: `rebalance-${since}`,
    since,
    revocable: true,
    message: 'the spot instance is at a higher risk of being interrupted',
  };
}

interface ScheduledCode {
  readonly kind: SignalKind;
  readonly ends: boolean;
}

// A stopped instance comes back on another host, which is what Azure calls a redeploy. A retired one does not come back by itself.
const codes: Readonly<Record<string, ScheduledCode>> = {
  'instance-reboot': { kind: 'Reboot', ends: true },
  'system-reboot': { kind: 'Reboot', ends: true },
  'system-maintenance': { kind: 'Maintenance', ends: false },
  'instance-stop': { kind: 'Redeploy', ends: true },
  'instance-retirement': { kind: 'Terminate', ends: true },
};

/** Those that are neither cancelled nor completed. @throws Error of one line for what is not a list of events. */
export function readMaintenanceEvents(body: string, now: Millis): NodeSignal[] {
  const events = parseAnswer('events/maintenance/scheduled', body);
  if (!Array.isArray(events)) throw new Error('events/maintenance/scheduled is not a list');
  return events.flatMap((event: unknown, index) => {
    const { Code, EventId, State, NotBefore, Description } = (event ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof Code !== 'string' || typeof EventId !== 'string' || EventId === '')
      throw new Error(`events/maintenance/scheduled[${index}] has no Code or EventId`);
    if (State === 'canceled' || State === 'completed') return [];
    const { kind, ends } = codes[Code] ?? { kind: Code, ends: false };
    const notBefore = timeOf(NotBefore, `events/maintenance/scheduled[${index}].NotBefore`);
    const description = typeof Description === 'string' ? `: ${Description}` : '';
    return [
      {
        kind,
        source: 'aws',
        id: EventId,
        since: timeText(now),
        notBefore,
        ...(ends && { goneAt: notBefore }),
        revocable: true,
        message: oneLine(`${Code} from ${notBefore}${description}`),
      },
    ];
  });
}

/** What the Auto Scaling group wants the instance to be; null while it may go on. */
export function readLifecycle(body: string, now: Millis): NodeSignal | null {
  const state = body.trim();
  if (!/^[A-Za-z:]{1,40}$/.test(state)) throw new Error('autoscaling/target-lifecycle-state is not a state');
  if (state !== 'Terminated' && state !== 'Warmed:Terminated') return null;
  return {
    kind: 'AutoscalingTermination',
    source: 'aws',
    id: `target-${state}`,
    since: timeText(now),
    revocable: false,
    message: `the Auto Scaling group wants the instance ${state}`,
  };
}

function object(what: string, body: string): Readonly<Record<string, unknown>> {
  const value = parseAnswer(what, body);
  if (typeof value !== 'object' || value === null) throw new Error(`${what} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

export interface AwsOptions {
  readonly client: MetadataClient;
  readonly clock: Clock;
  readonly everyMs: Millis;
  readonly timeoutMs: Millis;
}

/** The spot notice has two minutes at most and is looked for at each poll; the others have minutes to days. */
const SLOWER = 5;
/** Kinds that have a source of their own. */
const elsewhere: ReadonlySet<string> = new Set(['SpotInterruption', 'RebalanceRecommendation', 'AutoscalingTermination']);

export function awsSources({ client, clock, everyMs, timeoutMs }: AwsOptions): Source[] {
  const ask = createImds(client, clock);
  const or = async <T>(path: string, signal: AbortSignal, read: (body: string) => T[]): Promise<T[]> => {
    const body = await ask(`${META_DATA}/${path}`, signal);
    return body === null ? [] : read(body);
  };
  const one = (signal: NodeSignal | null) => (signal ? [signal] : []);
  return [
    {
      name: 'aws-spot',
      owns: ({ source, kind }) => source === 'aws' && kind === 'SpotInterruption',
      everyMs,
      timeoutMs,
      read: async (_, signal) => ({
        signals: await or('spot/instance-action', signal, (body) => [readSpotAction(body, clock.now())]),
      }),
    },
    {
      name: 'aws-rebalance',
      owns: ({ source, kind }) => source === 'aws' && kind === 'RebalanceRecommendation',
      everyMs: SLOWER * everyMs,
      timeoutMs,
      read: async (_, signal) => ({
        signals: await or('events/recommendations/rebalance', signal, (body) => [readRebalance(body)]),
      }),
    },
    {
      name: 'aws-maintenance',
      owns: ({ source, kind }) => source === 'aws' && !elsewhere.has(kind),
      everyMs: SLOWER * everyMs,
      timeoutMs,
      read: async (_, signal) => ({
        signals: await or('events/maintenance/scheduled', signal, (body) => readMaintenanceEvents(body, clock.now())),
      }),
    },
    {
      name: 'aws-autoscaling',
      owns: ({ source, kind }) => source === 'aws' && kind === 'AutoscalingTermination',
      everyMs: SLOWER * everyMs,
      timeoutMs,
      read: async (_, signal) => ({
        signals: await or('autoscaling/target-lifecycle-state', signal, (body) => one(readLifecycle(body, clock.now()))),
      }),
    },
  ];
}
