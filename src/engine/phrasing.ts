/** What every sentence about a wait is made of. */
import type { Millis } from '../lib/clock.ts';
import type { Blocker } from './blocker.ts';

export interface Explanation {
  /** What is waited for, one sentence without a full stop. */
  readonly message: string;
  /** What would end the wait; an instruction where a person can do something. */
  readonly unblock: string;
  /** "namespace/name" */
  readonly pod?: string;
  /** "ReplicaSet/web-7d9", with the pod's namespace. */
  readonly owner?: string;
  /** Does it end without anybody doing anything? */
  readonly passes: boolean;
}

/** Who waits: what a person can do differs. A running maintenance has its own copy of the policy's drain, and takes no flags. */
export type Viewpoint =
  | { readonly of: 'CommandLine' }
  | { readonly of: 'Controller'; readonly node: string; readonly maintenance: string; readonly policy: string | null };

export type Sentence<C extends Blocker['cause']> = (
  blocker: Extract<Blocker, { cause: C }>,
  now: Millis,
  by: Viewpoint | undefined,
) => Explanation;

export function wait(message: string, unblock: string): Explanation {
  return { message, unblock, passes: false };
}

export function passing(message: string, unblock: string): Explanation {
  return { message, unblock, passes: true };
}

export function listed(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}

/** "2m5s", "40s", "3h2m"; never finer than a second. */
export function duration(ms: Millis): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes}m${seconds % 60}s` : `${minutes}m`;
  return minutes % 60 ? `${Math.floor(minutes / 60)}h${minutes % 60}m` : `${minutes / 60}h`;
}

export function nodeOf(by: Viewpoint | undefined): string {
  return by?.of === 'Controller' ? by.node : 'NODE';
}
