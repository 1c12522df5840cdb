/** The metrics of notifications. A channel is named as its lane: there are as many as people have written down. */
import type { Registry } from '../lib/metrics.ts';
import type { Millis } from '../lib/clock.ts';
import type { Lane } from '../notify/notifier.ts';
import type { Answer } from '../notify/queue.ts';

export interface NotifyMetrics {
  answered(lane: Lane, answer: Answer, now: Millis): void;
  /** Where the channels are; until then there are none. */
  readLanes(lanes: () => readonly Lane[]): void;
}

const answers = ['Delivered', 'Refused', 'Failed', 'Dropped', 'Coalesced'] as const satisfies readonly Answer[];

export function createNotifyMetrics(registry: Registry): NotifyMetrics {
  let lanes: () => readonly Lane[] = () => [];
  const sent = registry.counter<'channel' | 'type' | 'answer'>({
    name: 'drover_notifications_total',
    help: 'Notices by channel and answer: Delivered, Refused (another try would be answered alike), Failed (tried as often as it may be), Dropped (no room, or the process ended), Coalesced (told by a later one).',
    labelNames: ['channel', 'type', 'answer'],
  });
  registry.gauge<'channel'>({
    name: 'drover_notifications_queued',
    help: 'Notices waiting to be sent, by channel.',
    labelNames: ['channel'],
    collect(gauge) {
      gauge.reset();
      for (const lane of lanes()) {
        gauge.set({ channel: lane.name }, lane.length);
        // Series that are there before anything has gone wrong: an alert on a rate needs them.
        for (const answer of answers) sent.inc({ channel: lane.name, type: lane.type, answer }, 0);
      }
    },
  });
  const lastSuccess = registry.gauge<'channel'>({
    name: 'drover_notification_last_success_timestamp_seconds',
    help: 'When a notice was last delivered, by channel.',
    labelNames: ['channel'],
  });
  return {
    answered(lane, answer, now) {
      sent.inc({ channel: lane.name, type: lane.type, answer });
      if (answer === 'Delivered') lastSuccess.set({ channel: lane.name }, now / 1_000);
    },
    readLanes(source) {
      lanes = source;
    },
  };
}
