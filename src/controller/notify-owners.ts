/** Tells the owners of namespaces about their pods: the annotation drover.dev/notify of a namespace names channels of the configuration. */
import { annotations } from '../api/names.ts';
import { type KubeClient, KubeError, pathOf } from '../kube/client.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type NodeNews, type Place, podsNotice } from '../notify/node-news.ts';
import type { Lane } from '../notify/notifier.ts';
import type { NoticeMarks } from './notice-marks.ts';

export interface NotifyOwners {
  /** Never throws, never waits. */
  tell(news: NodeNews, lanes: readonly Lane[]): void;
  /** The requests under way. */
  settled(): Promise<void>;
}

export interface NotifyOwnersOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly marks: NoticeMarks;
  readonly place: Place;
  readonly leads: () => boolean;
}

const KEEP_MS: Millis = 300_000;

export function createNotifyOwners({ client, clock, log, marks, place, leads }: NotifyOwnersOptions): NotifyOwners {
  const known = new Map<string, { readonly at: Millis; readonly names: Promise<readonly string[]> }>();
  const underWay = new Set<Promise<void>>();

  const read = async (namespace: string): Promise<readonly string[]> => {
    try {
      const { metadata } = await client.json<{ metadata?: { annotations?: Record<string, string> } }>({
        method: 'GET',
        path: pathOf('api/v1/namespaces', namespace),
      });
      const text = metadata?.annotations?.[annotations.notify] ?? '';
      return text.split(',').flatMap((name) => name.trim() || []);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.code !== 404) log.warn(`cannot read who is to be told of namespace ${namespace}: ${error.message}`);
      return [];
    }
  };
  const namesOf = (namespace: string): Promise<readonly string[]> => {
    const found = known.get(namespace);
    if (found && Math.abs(clock.now() - found.at) < KEEP_MS) return found.names;
    const names = read(namespace);
    known.set(namespace, { at: clock.now(), names });
    return names;
  };

  const tellNamespace = async (news: NodeNews, namespace: string, lanes: readonly Lane[]) => {
    const names = await namesOf(namespace);
    const notice = podsNotice(news, namespace, place);
    for (const name of names) {
      const lane = lanes.find((each) => each.policy === null && each.name === name && each.forNamespaces);
      if (!lane) {
        log.warn(
          `namespace ${namespace} wants to be told through ${name}, which is no channel with forNamespaces of the configuration`,
        );
        continue;
      }
      if (!leads() || marks.isTold(notice.thread, lane.id, notice.key)) continue;
      marks.notePut(notice.thread, lane.id, notice.key);
      lane.put(notice);
    }
  };

  return {
    tell(news, lanes) {
      if (!lanes.some(({ forNamespaces }) => forNamespaces)) return;
      const blocked = news.waiting?.pod?.split('/')[0];
      const concerned =
        news.topic === 'Started' ? new Set((news.pods ?? []).map(({ namespace }) => namespace)) : blocked ? [blocked] : [];
      for (const namespace of concerned) {
        const told = tellNamespace(news, namespace, lanes).catch((error: unknown) => log.error(`unexpected: ${String(error)}`));
        underWay.add(told);
        void told.finally(() => underWay.delete(told));
      }
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}
