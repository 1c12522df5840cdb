/**
 * How fast the budgets alone let a rotation be: one lane per budget, which evicts its next pod as soon as the budget's status allows one.
 * No cordon journal, no status, no events, no leader; it cannot be interrupted and knows only pods with exactly one budget.
 */
import type { Client, Meta } from './client.ts';

export interface Reaction {
  /** Milliseconds from sending an eviction until its budget allowed the next one, one per round that was followed by another. */
  readonly rounds: readonly number[];
}

interface PodView {
  readonly metadata: Meta;
  readonly spec: { readonly nodeName?: string };
}

interface BudgetView {
  readonly metadata: Meta;
  readonly status?: { readonly disruptionsAllowed?: number };
}

interface Lane {
  readonly waiting: Meta[];
  allowed: number;
  /** When the last eviction was sent; null while none is waited for. */
  sentAt: number | null;
  busy: boolean;
}

const REFUSED_RETRY_MS = 1_000;

/** Cordons the nodes and empties them. Resolves when the last eviction is answered. @throws Error on any other answer than 201 and 429 */
export async function rotateByBudgets(client: Client, nodeNames: readonly string[]): Promise<Reaction> {
  const nodes = new Set(nodeNames);
  const lanes = new Map<string, Lane>();
  const lane = (namespace: string, name: string) => {
    const key = `${namespace}/${name}`;
    let found = lanes.get(key);
    if (!found) lanes.set(key, (found = { waiting: [], allowed: 0, sentAt: null, busy: false }));
    return found;
  };
  const rounds: number[] = [];
  let finish: (error?: Error) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => (finish = (error) => (error ? reject(error) : resolve())));

  const { body } = await client.send<{ items: PodView[] }>({ path: '/api/v1/pods' });
  const leaving = body.items.filter(({ spec }) => nodes.has(spec.nodeName ?? ''));
  for (const { metadata } of leaving) lane(metadata.namespace ?? '', metadata.labels?.app ?? '').waiting.push(metadata);
  let left = leaving.length;

  const cordon = (name: string) =>
    client.send({ method: 'PATCH', path: `/api/v1/nodes/${name}`, body: { spec: { unschedulable: true } } });
  for (const { status } of await Promise.all(nodeNames.map(cordon)))
    if (status !== 200) throw new Error(`cannot cordon: ${status}`);

  const evict = async (mine: Lane, pod: Meta) => {
    mine.busy = true;
    mine.allowed -= 1;
    const sentAt = performance.now();
    const { status } = await client.send({
      method: 'POST',
      path: `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/eviction`,
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod.name, namespace: pod.namespace } },
    });
    mine.busy = false;
    if (status === 429) {
      mine.waiting.unshift(pod);
      // The version that would have woken the lane may have come while the eviction was on its way.
      setTimeout(() => {
        mine.allowed = Math.max(mine.allowed, 1);
        next(mine);
      }, REFUSED_RETRY_MS);
    } else if (status === 201) {
      mine.sentAt = sentAt;
      left -= 1;
      if (left === 0) finish();
    } else finish(new Error(`eviction of ${pod.name}: ${status}`));
    next(mine);
  };
  const next = (mine: Lane) => {
    const pod = mine.busy || mine.allowed < 1 ? undefined : mine.waiting.shift();
    if (pod) evict(mine, pod).catch((error: unknown) => finish(error instanceof Error ? error : new Error(String(error))));
  };

  const watch = await client.watch<BudgetView>('/apis/policy/v1/poddisruptionbudgets', ({ object: { metadata, status }, at }) => {
    const mine = lane(metadata.namespace ?? '', metadata.name);
    mine.allowed = status?.disruptionsAllowed ?? 0;
    // An answer that is later than the budget's next version would count a round that had not begun.
    if (mine.allowed > 0 && mine.sentAt !== null && !mine.busy) {
      rounds.push(at - mine.sentAt);
      mine.sentAt = null;
    }
    next(mine);
  });
  await finished;
  watch.stop();
  return { rounds };
}
