/** What the agent says in its node's conditions, for people and for reasons of type Condition. Pure: signals and health in, conditions out. */
import { byUrgency, type NodeSignal } from '../api/node-signal.ts';
import type { Verdict } from './checks/verdict.ts';
import type { SourceHealth } from './poller.ts';
import { oneLine } from './source.ts';

const AGENT_CONDITION = 'DroverAgent';

export interface WantedConditions {
  readonly signals: readonly NodeSignal[];
  readonly verdicts: readonly Verdict[];
  readonly health: readonly SourceHealth[];
  /** What the node says now, by type; undefined when it has no such condition. */
  readonly before: (type: string) => Verdict | null;
}

interface Row {
  readonly type: string;
  /** Those of its sources, by the beginnings of their names. Without any the condition is not written. */
  readonly sources: readonly string[];
  readonly takes: (signal: NodeSignal) => boolean;
  /** Its reason while there is nothing. */
  readonly none: string;
}

// A recommendation is no event of the machine: it is in the annotation only.
const elsewhere: ReadonlySet<string> = new Set(['RebootRequired', 'SpotInterruption', 'RebalanceRecommendation', 'CustomCheck']);

const rows: readonly Row[] = [
  { type: 'RebootRequired', sources: ['sentinel'], takes: ({ kind }) => kind === 'RebootRequired', none: 'NoRebootRequired' },
  {
    type: 'SpotInterruption',
    sources: ['azure', 'aws-spot', 'gcp-preempted'],
    takes: ({ kind }) => kind === 'SpotInterruption',
    none: 'NoNotice',
  },
  {
    type: 'MachineMaintenance',
    sources: ['azure', 'aws', 'gcp'],
    takes: ({ kind }) => !elsewhere.has(kind),
    none: 'NoneScheduled',
  },
];

/** All that the agent wants the node to say. */
export function wantedConditions({ signals, verdicts, health, before }: WantedConditions): Verdict[] {
  const wanted = rows.flatMap(({ type, sources, takes, none }): Verdict[] => {
    const own = health.filter(({ name }) => sources.some((each) => name.startsWith(each)));
    if (own.length === 0) return [];
    const [first, ...more] = byUrgency(signals.filter(takes));
    if (first) {
      const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
      return [{ type, status: 'True', reason: reasonOf(first), message: `${textOf(first)}${others}` }];
    }
    // "No" is said only when every source has said so. Until then stands what stood, or that it is not known.
    if (own.some(({ lastSuccess }) => lastSuccess === null)) return [before(type) ?? notRead(type)];
    return [{ type, status: 'False', reason: none, message: 'every source has said that there is nothing' }];
  });
  return [...wanted, ...verdicts, agentCondition(health, before)];
}

const notRead = (type: string): Verdict => ({
  type,
  status: 'Unknown',
  reason: 'NotReadYet',
  message: 'not every source has answered yet',
});

function agentCondition(health: readonly SourceHealth[], before: WantedConditions['before']): Verdict {
  const failing = health.filter(({ degraded }) => degraded);
  if (failing.length > 0)
    return {
      type: AGENT_CONDITION,
      status: 'False',
      reason: 'SourceFailing',
      // Without times and counts: a condition that changes at each poll is written at each poll.
      message: oneLine(failing.map(({ name, failure }) => `${name}: ${failure ?? ''}`).join('; '), 1_000),
    };
  if (health.some(({ lastSuccess }) => lastSuccess === null)) return before(AGENT_CONDITION) ?? notRead(AGENT_CONDITION);
  return { type: AGENT_CONDITION, status: 'True', reason: 'EverySourceAnswers', message: `${health.length} sources are read` };
}

/** The reason of a condition must be one word (metav1.Condition); a kind of a newer cloud may be anything. */
function reasonOf({ kind }: NodeSignal): string {
  return /^[A-Za-z]([A-Za-z0-9_,:]{0,200}[A-Za-z0-9_])?$/.test(kind) ? kind : 'Other';
}

function textOf({ message, goneAt, source }: NodeSignal): string {
  return goneAt === undefined || message.includes(goneAt) ? `${source}: ${message}` : `${source}: ${message} (gone at ${goneAt})`;
}
