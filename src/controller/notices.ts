/** Puts the parts of the notifications together, as an Observer beside the one that is given. */
import type { OwnNotify } from '../api/notify.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Random } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { createNotifier, type Lane, type NotifierOptions } from '../notify/notifier.ts';
import type { Place } from '../notify/node-news.ts';
import type { Notice } from '../notify/notice.ts';
import type { Answer } from '../notify/queue.ts';
import type { Secrets } from '../notify/secrets.ts';
import type { EventRecorder } from './event-recorder.ts';
import { createNoticeMarks } from './notice-marks.ts';
import type { NotifyMetrics } from './notify-metrics.ts';
import { createNotifyOwners } from './notify-owners.ts';
import { createNotifyRuns } from './notify-runs.ts';
import { createNotifying, type Notifying } from './notifying.ts';
import type { Observer, Watched } from './observer.ts';
import { GROUP_VERSION } from '../api/names.ts';

export interface NoticesOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly secrets: Secrets;
  readonly readFile: (path: string) => Promise<string>;
  readonly userAgent: string;
  readonly own: readonly OwnNotify[];
  /** Empty: messages do not name the cluster. */
  readonly clusterName: string;
  readonly metrics: NotifyMetrics;
  readonly recorder: Pick<EventRecorder, 'record'>;
  /** See `NotifierOptions`; for tests. */
  readonly open?: NotifierOptions['open'];
}

export interface Notices {
  /** The same observer, and people are told. */
  beside(observer: Observer): Observer;
  /** Sends what there is for at most 3 s, and notes it. Before the lease is given back. */
  stop(): Promise<void>;
}

// The next leader waits for the lease.
const STOP_GRACE_MS = 3_000;

export function createNotices(options: NoticesOptions): Notices {
  const { client, clock, log, metrics, recorder } = options;
  const place: Place = { clusterName: options.clusterName };
  let watched: Watched | undefined;
  let leads = false;

  const marks = createNoticeMarks({ client, clock, log, object: (name) => watched?.maintenance(name) });
  const runs = createNotifyRuns({
    client,
    clock,
    log,
    place,
    leads: () => leads,
    policy: (name) => [...(watched?.policies() ?? [])].find(({ metadata }) => metadata.name === name),
    maintenances: () => watched?.maintenances() ?? [],
    phaseOf: (name) => notifying.phaseOf(name),
    waitOf: (name) => notifying.waitOf(name),
  });
  const owners = createNotifyOwners({ client, clock, log, marks, place, leads: () => leads });

  const answered = (lane: Lane, notice: Notice, answer: Answer, why: string) => {
    metrics.answered(lane, answer, clock.now());
    if (answer !== 'Refused' && answer !== 'Failed') return;
    const text = `channel ${lane.name} (${lane.type}) was not told of ${notice.subject} (${notice.topic}): ${why}`;
    log.warn(text, { channel: lane.name, answer });
    const policy = [...(watched?.policies() ?? [])].find(({ metadata }) => metadata.name === lane.policy);
    if (!policy) return;
    recorder.record({
      regarding: {
        apiVersion: GROUP_VERSION,
        kind: 'MaintenancePolicy',
        name: policy.metadata.name,
        uid: policy.metadata.uid ?? '',
      },
      type: 'Warning',
      reason: 'NotificationFailed',
      message: `${text}; try it with: drover notify test --policy ${policy.metadata.name} --channel ${lane.entry.name}`,
      dedupKey: `${policy.metadata.uid}/NotificationFailed/${lane.name}`,
    });
  };

  const notifier = createNotifier({
    clock,
    random: options.random,
    secrets: options.secrets,
    readFile: options.readFile,
    userAgent: options.userAgent,
    own: options.own,
    ...(options.open && { open: options.open }),
    messageOf: (lane, thread) => (isRun(thread) ? runs.messageOf(thread, lane.id) : marks.messageOf(thread, lane.id)),
    onDelivered(lane, notice, message) {
      if (!isRun(notice.thread)) return marks.noteDelivered(notice.thread, lane.id, notice.key, message);
      runs.noteDelivered(notice.thread, lane.id, message);
      const maintenance = notice.markers['Maintenance'];
      if (typeof maintenance === 'string' && maintenance !== '') marks.noteDelivered(maintenance, lane.id, notice.key, null);
    },
    onAnswer: answered,
    onTry: (lane, notice, why, waitMs) =>
      log.debug(
        `channel ${lane.name} (${lane.type}): ${why}; ${notice.subject} is tried again in ${Math.round(waitMs / 1_000)}s`,
      ),
  });
  metrics.readLanes(() => notifier.lanes);
  const notifying: Notifying = createNotifying({ clock, notifier, marks, runs, owners, place });

  return {
    beside: (observer) => ({
      ...observer,
      watching(next) {
        watched = next;
        observer.watching?.(next);
        notifying.watching(next);
      },
      leading(next) {
        leads = next;
        observer.leading(next);
        notifying.leading(next);
      },
      passed(decisions, nodes, now, tookMs) {
        observer.passed(decisions, nodes, now, tookMs);
        notifying.passed(decisions, nodes, now);
      },
    }),
    async stop() {
      await owners.settled();
      await runs.flush();
      await notifier.stop(STOP_GRACE_MS);
      await runs.flush();
      await marks.flush();
    },
  };
}

function isRun(thread: string): boolean {
  return thread.startsWith('run:');
}
