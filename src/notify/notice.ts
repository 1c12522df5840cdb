/** What is told: the news of a node or of a run, before a channel has made a message of it. */
import type { Topic } from '../api/notify.ts';
import type { Millis } from '../lib/clock.ts';
import type { Struct } from './template/value.ts';

/** Run: where all nodes of a policy stand. Pods: to the owners of a namespace. Test: `drover notify test`. */
export type NoticeTopic = Topic | 'Run' | 'Pods' | 'Test';

export type Severity = 'info' | 'success' | 'warning' | 'error';

export interface Notice {
  /** Told once within its thread. Also the id of a CloudEvent, so that a receiver can tell a repetition. */
  readonly key: string;
  /** What it goes on with: one maintenance, one run. Messages of one thread are edited, or answer each other. */
  readonly thread: string;
  readonly topic: NoticeTopic;
  /** State: how it stands, which replaces what was said before. Alert: to be noticed, so a message of its own. */
  readonly kind: 'State' | 'Alert';
  readonly severity: Severity;
  readonly at: Millis;
  /** One line. */
  readonly title: string;
  /** All that is told where there is no template, the title first. */
  readonly text: string;
  /** For templates, and for services that take data. */
  readonly markers: Struct;
  /** The node, or of a run the policy. */
  readonly subject: string;
  /** What an incident is about, over several maintenances. */
  readonly incident: string;
}

const severities: Readonly<Record<NoticeTopic, Severity>> = {
  Started: 'info',
  Drained: 'success',
  Rebooting: 'info',
  Verifying: 'info',
  HandedBack: 'success',
  SteppedAside: 'warning',
  Waiting: 'warning',
  Failed: 'error',
  Cancelled: 'info',
  Run: 'info',
  Pods: 'info',
  Test: 'info',
};

export function severityOf(topic: NoticeTopic): Severity {
  return severities[topic];
}
