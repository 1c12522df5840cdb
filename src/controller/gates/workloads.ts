/** Are the workloads of the cluster well? Read in pages, only while a gate asks; nothing of it is kept. */
import type { Verdict } from '../../engine/gates/gate.ts';
import { type KubeClient, pathOf } from '../../kube/client.ts';
import type { Millis } from '../../lib/clock.ts';

interface Listed {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
  };
  readonly spec?: { readonly replicas?: number };
  readonly status?: Readonly<Record<string, unknown>>;
}

const PAGE = 500;

/** "shop/Deployment/web (2 of 3 available)"; empty: all is well. @throws KubeError */
export async function findUnsettled(
  client: KubeClient,
  namespaces: readonly string[] | null,
  pendingMs: Millis,
  now: Millis,
  timeoutMs: Millis,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const namespace of namespaces ?? [null])
    for (const { kind, root, plural, query, judge } of kinds)
      for await (const object of listed(client, namespace, root, plural, query, timeoutMs)) {
        const what = judge(object, now - pendingMs);
        const { name } = object.metadata;
        if (what !== null) found.push(`${object.metadata.namespace ?? ''}/${kind}/${name} (${what})`);
      }
  return found;
}

async function* listed(
  client: KubeClient,
  namespace: string | null,
  root: string,
  plural: string,
  fieldSelector: string | undefined,
  timeoutMs: Millis,
): AsyncIterable<Listed> {
  const path = namespace === null ? pathOf(root, plural) : pathOf(root, 'namespaces', namespace, plural);
  let token: string | undefined;
  do {
    const query = { limit: PAGE, ...(fieldSelector !== undefined && { fieldSelector }), ...(token && { continue: token }) };
    const page = await client.json<{ readonly metadata: { readonly continue?: string }; readonly items?: readonly Listed[] }>({
      method: 'GET',
      path,
      query,
      timeoutMs,
    });
    yield* page.items ?? [];
    token = page.metadata.continue || undefined;
  } while (token);
}

interface Looked {
  readonly kind: string;
  readonly root: string;
  readonly plural: string;
  readonly query?: string;
  /** null: it is well. @param since a pod that has been Pending since before is not */
  judge(object: Listed, since: Millis): string | null;
}

const numberIn = (object: Listed, field: string) => Number(object.status?.[field] ?? 0);

/** As `kubectl rollout status`: the controller has seen the spec, and all replicas are of it and available. */
function replicated(object: Listed): string | null {
  const wanted = object.spec?.replicas ?? 1;
  if (numberIn(object, 'observedGeneration') < (object.metadata.generation ?? 0)) return 'its change has not been seen yet';
  const available = numberIn(object, 'availableReplicas');
  if (available < wanted) return `${available} of ${wanted} available`;
  const updated = numberIn(object, 'updatedReplicas');
  return updated < wanted ? `${updated} of ${wanted} updated` : null;
}

const kinds: readonly Looked[] = [
  { kind: 'Deployment', root: 'apis/apps/v1', plural: 'deployments', judge: replicated },
  {
    kind: 'StatefulSet',
    root: 'apis/apps/v1',
    plural: 'statefulsets',
    // With OnDelete or a partition pods of the old revision are meant to stay.
    judge(object) {
      const wanted = object.spec?.replicas ?? 1;
      const available = numberIn(object, 'availableReplicas');
      return available < wanted ? `${available} of ${wanted} available` : null;
    },
  },
  {
    kind: 'DaemonSet',
    root: 'apis/apps/v1',
    plural: 'daemonsets',
    judge(object) {
      const wanted = numberIn(object, 'desiredNumberScheduled');
      const available = numberIn(object, 'numberAvailable');
      return available < wanted ? `${available} of ${wanted} available` : null;
    },
  },
  {
    kind: 'Pod',
    root: 'api/v1',
    plural: 'pods',
    query: 'status.phase=Pending',
    judge: ({ metadata }, since) => (Date.parse(metadata.creationTimestamp ?? '') <= since ? 'Pending' : null),
  },
];

/** Well only when it has been so for a while: each look at something that is not well begins the while anew. */
export function createSettling(forMs: Millis): { see(unsettled: readonly string[], now: Millis): Verdict; reset(): void } {
  let wellSince: Millis | null = null;
  return {
    see(unsettled, now) {
      if (unsettled.length > 0) {
        wellSince = null;
        return { is: 'Unsettled', what: unsettled };
      }
      wellSince ??= now;
      return now - wellSince >= forMs ? { is: 'Open' } : { is: 'Settling', until: wellSince + forMs };
    },
    reset() {
      wellSince = null;
    },
  };
}
