/** Static pods: the kubelet runs them from a file of its own, and keeps an image of each in the API. */
import type { Api } from '../apiserver/api.ts';
import { nodes, pods } from '../apiserver/kinds.ts';
import type { Pod } from '../kubernetes.ts';

const MIRROR = 'kubernetes.io/config.mirror';

export function isMirror({ metadata }: Pod): boolean {
  return metadata.annotations?.[MIRROR] !== undefined;
}

/** Deleting the image does not stop the containers: another image takes its place, with the same status. */
export function recreateMirror(api: Api, pod: Pod): void {
  const { name, namespace = '', labels, annotations, ownerReferences, uid } = pod.metadata;
  if (!api.get(nodes, '', pod.spec.nodeName ?? '')) return;
  const current = api.get(pods, namespace, name);
  if (current && current.metadata.uid !== uid) return;
  if (current) api.remove(pods, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
  if (api.get(pods, namespace, name)) return;
  const metadata = {
    name,
    namespace,
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(ownerReferences && { ownerReferences }),
  };
  const created = api.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec: pod.spec }, { fieldManager: 'kubelet' });
  const { status } = pod;
  if (status)
    api.modify(pods, namespace, created.metadata.name, (each: Pod): Pod => ({ ...each, status }), { subresource: 'status' });
}
