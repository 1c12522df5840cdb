/** Where all nodes of a policy stand that are out at about the same time: "nightly: 12 of 40 done, 2 waiting". Pure. */
import type { Millis } from '../lib/clock.ts';
import { counted, emptyMarkers, type Place, span } from './node-news.ts';
import type { Notice } from './notice.ts';

export interface RunMember {
  readonly node: string;
  readonly phase: string;
  /** Why it waits, where that is worth telling. */
  readonly waitsFor?: string;
}

export interface RunNews {
  readonly policy: string;
  readonly since: Millis;
  readonly at: Millis;
  readonly members: readonly RunMember[];
}

const done = new Set(['Drained', 'HandedBack']);
const waits = new Set(['Pending', 'BackOff']);
const MAX_NAMED = 5;

type Standing = 'Done' | 'Failed' | 'Cancelled' | 'Waiting' | 'Active';

function standingOf({ phase, waitsFor }: RunMember): Standing {
  if (done.has(phase)) return 'Done';
  if (phase === 'Failed' || phase === 'Cancelled') return phase;
  return waits.has(phase) || waitsFor !== undefined ? 'Waiting' : 'Active';
}

/** None of them is under way any more. */
export function hasEnded(members: readonly RunMember[]): boolean {
  return members.every((each) => !['Waiting', 'Active'].includes(standingOf(each)));
}

export function runNotice({ policy, since, at, members }: RunNews, place: Place): Notice {
  const by = new Map<Standing, RunMember[]>();
  for (const member of members) {
    const standing = standingOf(member);
    const list = by.get(standing);
    if (list) list.push(member);
    else by.set(standing, [member]);
  }
  const count = (standing: Standing) => by.get(standing)?.length ?? 0;
  // A node whose reason has gone before its turn is no part of what is to be done.
  const total = members.length - count('Cancelled');
  const ended = hasEnded(members);
  const parts = [
    `${count('Done')} of ${total} done`,
    ...(count('Active') > 0 ? [`${count('Active')} under way`] : []),
    ...(count('Waiting') > 0 ? [`${count('Waiting')} waiting`] : []),
    ...(count('Failed') > 0 ? [`${count('Failed')} failed`] : []),
  ];
  const where = place.clusterName === '' ? '' : `[${place.clusterName}] `;
  const title = `${where}${policy}: ${parts.join(', ')}${ended ? `, ended after ${span(at - since)}` : ''}`;
  const named = (word: string, standing: Standing) => {
    const list = by.get(standing) ?? [];
    const shown = list
      .slice(0, MAX_NAMED)
      .map(({ node, waitsFor }) => `${node}${waitsFor === undefined ? '' : ` (${waitsFor})`}`);
    const rest = list.length > MAX_NAMED ? ` and ${list.length - MAX_NAMED} more` : '';
    return shown.length === 0 ? [] : [`${word}: ${shown.join(', ')}${rest}`];
  };
  const text = [title, ...named('under way', 'Active'), ...named('waiting', 'Waiting'), ...named('failed', 'Failed')].join('\n');
  const severity = count('Failed') > 0 ? 'error' : ended ? 'success' : 'info';
  return {
    key: `Run@${Math.floor(at / 1_000)}`,
    thread: `run:${policy}:${Math.floor(since / 1_000)}`,
    topic: 'Run',
    kind: 'State',
    severity,
    at,
    title,
    text,
    markers: {
      ...emptyMarkers(place, at),
      Topic: 'Run',
      Policy: policy,
      Text: text,
      Message: `${counted(total, 'node')}: ${parts.join(', ')}`,
      Severity: severity,
      Run: {
        Policy: policy,
        Total: total,
        Done: count('Done'),
        Waiting: count('Waiting'),
        Failed: count('Failed'),
        Active: count('Active'),
        Ended: ended,
      },
    },
    subject: policy,
    incident: `drover/${policy}`,
  };
}
