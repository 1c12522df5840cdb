/** Entries, notices and open channels for tests. */
import { type NotifyEntry, ownNotifyEntry } from '../../api/notify.ts';
import { formatFieldErrors, parseFields } from '../../api/validate.ts';
import type { Clock } from '../../lib/clock.ts';
import { createVirtualClock } from '../../lib/clock.ts';
import type { Channel } from '../channel.ts';
import { type NodeNews, noticeOf } from '../node-news.ts';
import type { Notice } from '../notice.ts';
import { openChannel } from '../open-channel.ts';
import { createSecrets, type Secrets } from '../secrets.ts';

export const AT = Date.UTC(2026, 0, 1, 12, 0, 0);

/** As in the configuration, with defaults. @throws Error naming the fields that are wrong */
export function anEntry(written: Record<string, unknown>): NotifyEntry {
  const parsed = parseFields(ownNotifyEntry, { name: 'ops', ...written });
  if (parsed.ok) return parsed.value;
  throw new Error(formatFieldErrors('Notify', 'ops', parsed.errors).join('\n'));
}

export function someNews(overrides: Partial<NodeNews> = {}): NodeNews {
  return {
    topic: 'Started',
    at: AT,
    maintenance: 'worker-1-x3k9q',
    node: 'worker-1',
    labels: { 'topology.kubernetes.io/zone': 'eu-1', 'kubernetes.io/arch': 'amd64' },
    policy: 'nightly',
    reasonType: 'Label',
    reason: 'planned: label maintenance=planned',
    phase: 'Draining',
    startedAt: AT,
    message: '',
    pods: [
      { namespace: 'shop', name: 'web-1' },
      { namespace: 'shop', name: 'web-2' },
    ],
    waitKey: '',
    history: [],
    ...overrides,
  };
}

export const waitingNews = (overrides: Partial<NodeNews> = {}): NodeNews =>
  someNews({
    topic: 'Waiting',
    waitKey: 'BudgetExhausted PodDisruptionBudget/shop/web',
    waiting: { cause: 'BudgetExhausted', message: 'budget shop/web allows none', unblock: 'another replica', pod: 'shop/web-1' },
    ...overrides,
  });

export const aNotice = (overrides: Partial<NodeNews> = {}): Notice => noticeOf(someNews(overrides), { clusterName: 'prod' });
export const anAlert = (overrides: Partial<NodeNews> = {}): Notice => noticeOf(waitingNews(overrides), { clusterName: 'prod' });

/** Secrets by "env" name. */
export function secretsFor(env: Readonly<Record<string, string | undefined>>, clock: Clock): Secrets {
  return createSecrets({
    clock,
    env,
    readKey: () => Promise.reject(new Error('is not there')),
    readFile: () => Promise.reject(new Error('cannot be read (ENOENT)')),
  });
}

export function open(
  written: Record<string, unknown>,
  env: Readonly<Record<string, string | undefined>> = {},
  clock: Clock = createVirtualClock(AT),
  readFile: (path: string) => Promise<string> = () => Promise.reject(new Error('cannot be read (ENOENT)')),
): Channel {
  return openChannel(anEntry(written), { clock, secrets: secretsFor(env, clock), readFile, userAgent: 'drover/test' });
}
