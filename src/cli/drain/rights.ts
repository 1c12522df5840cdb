/** The look before the leap: rights without which a drain would stop halfway, with a node cordoned and its pods still there. */
import type { KubeClient } from '../../kube/client.ts';
import { CommandError } from '../errors.ts';

interface Right {
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string;
  /** Absent: in all namespaces. */
  readonly namespace?: string;
}

interface Review {
  readonly status?: { readonly allowed?: boolean };
}

const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** @param namespaces those of the pods that are to leave. @throws CommandError naming the right that is missing. */
export async function requireRights(client: KubeClient, namespaces: ReadonlySet<string>, disableEviction: boolean): Promise<void> {
  const nodes: Right = { verb: 'patch', resource: 'nodes' };
  const pods: Right = disableEviction ? { verb: 'delete', resource: 'pods' } : { verb: 'create', resource: 'pods', subresource: 'eviction' };
  const [mayPatch, mayEverywhere] = await Promise.all([may(client, nodes), namespaces.size === 0 || may(client, pods)]);
  if (!mayPatch) throw missing(nodes);
  if (mayEverywhere) return;
  // A user whose rights are bound to some namespaces may still have them in all that matter here.
  for (const namespace of namespaces) if (!(await may(client, { ...pods, namespace }))) throw missing({ ...pods, namespace });
}

async function may(client: KubeClient, right: Right): Promise<boolean> {
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: right } };
  const { status } = await client.json<Review>({ method: 'POST', path: PATH, body, idempotent: true });
  return status?.allowed !== false;
}

function missing({ verb, resource, subresource, namespace }: Right): CommandError {
  const what = `${verb} ${resource}${subresource ? `/${subresource}` : ''}${namespace ? ` in namespace ${namespace}` : ''}`;
  return new CommandError(`you may not ${what}, which a drain needs; nothing was changed. Ask for that right, or choose another user or context`);
}
