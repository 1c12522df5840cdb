/** Eviction and deletion of one pod, and what the API server's answers to them mean. */
import { type EvictionAnswer, type KubeClient, KubeError } from './client.ts';
import { objectPath, pods } from './kinds.ts';

export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface RemovalOptions {
  /** Seconds; default: the pod's own. */
  readonly graceSeconds?: number;
  /** Ask only. The server checks budgets but does not charge them, so two dry runs may both pass against a budget of one. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  /** Default 60 s: the server itself retries conflicts on a budget inside the request, for up to 10 s each. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;

function deleteOptions(pod: PodIdentity, options: RemovalOptions): object {
  return {
    preconditions: { uid: pod.uid },
    ...(options.graceSeconds === undefined ? {} : { gracePeriodSeconds: options.graceSeconds }),
    ...(options.dryRun ? { dryRun: ['All'] } : {}),
  };
}

function limits(options: RemovalOptions) {
  return { timeoutMs: options.timeoutMs ?? TIMEOUT_MS, ...(options.signal ? { signal: options.signal } : {}) };
}

/**
 * Asks the API server to evict the pod, and only this uid of it. The caller has looked at the uid in its cache first: on a mismatch the
 * server charges the budget before it notices (kube-apiserver 1.34.4).
 * @throws only the reason of an aborted signal; every answer, also none, is an EvictionAnswer.
 */
export async function evict(client: KubeClient, pod: PodIdentity, options: RemovalOptions = {}): Promise<EvictionAnswer> {
  try {
    await client.json({
      method: 'POST',
      path: objectPath(pods, pod, 'eviction'),
      body: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { namespace: pod.namespace, name: pod.name },
        deleteOptions: deleteOptions(pod, options),
      },
      // The second of two evictions meets a terminating pod, for which no budget is asked, or another uid.
      idempotent: true,
      ...limits(options),
    });
    return { kind: 'Evicted' };
  } catch (error) {
    if (error instanceof KubeError) return classifyEviction(error);
    throw error;
  }
}

/** 'OtherPod': the name belongs to another uid by now. @throws KubeError for every other refusal. */
export async function deletePod(
  client: KubeClient,
  pod: PodIdentity,
  options: RemovalOptions = {},
): Promise<'Deleted' | 'Gone' | 'OtherPod'> {
  try {
    await client.json({
      method: 'DELETE',
      path: objectPath(pods, pod),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', ...deleteOptions(pod, options) },
      ...limits(options),
    });
    return 'Deleted';
  } catch (error) {
    if (error instanceof KubeError && isGone(error)) return 'Gone';
    if (error instanceof KubeError && isOtherUid(error)) return 'OtherPod';
    throw error;
  }
}

const FROM_WEBHOOK = /^admission webhook "[^"]*" denied the request/;

/** A 404 about the pod itself. One from a load balancer, or for a path that the server does not know, must not read as "the pod is gone". */
function isGone({ code, reason, status }: KubeError): boolean {
  return code === 404 && reason === 'NotFound' && status?.message !== 'the server could not find the requested resource';
}

/** 1.34: "the UID in the precondition (a) does not match the UID in record (b)"; from other places: "UID in precondition: a, UID in object meta: b". */
function isOtherUid({ code, status }: KubeError): boolean {
  return code === 409 && /UID in (the )?precondition/.test(status?.message ?? '');
}

/** Which EvictionAnswer an error of the eviction subresource is. */
export function classifyEviction(error: KubeError): EvictionAnswer {
  const { code, status } = error;
  const message = status?.message ?? error.message;
  const causes = status?.details?.causes ?? [];
  const seconds = status?.details?.retryAfterSeconds;
  const retryAfterMs = error.retryAfterMs ?? (seconds ? seconds * 1000 : undefined);

  // Third parties answer with any code and their own protocol (KubeVirt: 429 "Eviction triggered evacuation"), so before all others.
  if (FROM_WEBHOOK.test(message)) return { kind: 'Refused', code, message };
  if (isGone(error)) return { kind: 'Gone' };
  if (isOtherUid(error)) return { kind: 'OtherPod', message };

  const budget = causes.find(({ reason }) => reason === 'DisruptionBudget');
  if (code === 429 && budget) {
    const why = budget.message ?? message;
    return retryAfterMs === undefined
      ? { kind: 'BudgetRefused', message: why }
      : { kind: 'BudgetStale', retryAfterMs, message: why };
  }
  // Priority and fairness answers in plain text: apiserver pkg/server/filters/priority-and-fairness.go, tooManyRequests.
  if (code === 429) return { kind: 'Throttled', retryAfterMs: retryAfterMs ?? 1000, message };
  // The only answer with code 500 and no reason: registry/core/pod/storage/eviction.go, len(pdbs) > 1.
  if (code === 500 && /more than one PodDisruptionBudget/.test(message)) return { kind: 'SeveralBudgets', message };
  if (code === 403 && causes.some(({ reason }) => reason === 'NamespaceTerminating'))
    return { kind: 'NamespaceTerminating', message };
  // disruptionsAllowed < 0 or more than 2,000 disruptedPods: the budget's state, not our rights (eviction.go, checkAndDecrement).
  if (code === 403 && /pdb disruptions allowed is negative|DisruptedPods map too big/.test(message))
    return { kind: 'BudgetRefused', message };
  if (code === 403 || code === 401) return { kind: 'Forbidden', message };
  // A conflict without a uid: somebody wrote the pod in between; the same request may pass at once.
  if (code === 0 || code === 408 || code === 409 || code >= 500) {
    return { kind: 'Unavailable', message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
  return { kind: 'Refused', code, message };
}
