/** The Job of a hook: what a person wrote, with what makes it ours: name, owner, an end. */
import { labels } from '../api/names.ts';
import type { Action, HookSettings } from './action.ts';
import type { Maintenance } from './maintenance.ts';
import { environment, ownedBy } from './reboot-pod.ts';

export type HookWhen = 'before' | 'after';

type Body = Readonly<Record<string, unknown>>;

const part = (of: unknown, key: string): Body => {
  const value = typeof of === 'object' && of !== null ? (of as Body)[key] : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : {};
};
const list = (of: Body, key: string): readonly Body[] => (Array.isArray(of[key]) ? (of[key] as readonly Body[]) : []);

/** One for each time that the node is drained; the same again after a crash. */
export function hookJobName(when: HookWhen, uid: string, drainedAt: number): string {
  return `drover-${when}-${uid}-${Math.floor(drainedAt / 1_000).toString(36)}`;
}

export function hookJob(maintenance: Maintenance, action: Action, hook: HookSettings, when: HookWhen, name: string): Body {
  const { template } = hook;
  const metadata = part(template, 'metadata');
  // Kept until the NodeMaintenance goes: one that is removed when it has finished would run once more after a crash.
  const { ttlSecondsAfterFinished: _, ...spec } = part(template, 'spec');
  const pod = part(spec, 'template');
  const podSpec = part(pod, 'spec');
  const withEnvironment = (key: string) =>
    list(podSpec, key).map((container) => ({ ...container, env: [...environment(maintenance), ...list(container, 'env')] }));
  const own = { 'app.kubernetes.io/name': 'drover', [labels.action]: when };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: hook.namespace,
      ...(metadata['annotations'] !== undefined && { annotations: metadata['annotations'] }),
      labels: { ...part(metadata, 'labels'), ...own },
      ...ownedBy(maintenance, action),
    },
    spec: {
      ...spec,
      activeDeadlineSeconds: Math.max(1, Math.ceil(hook.timeoutMs / 1_000)),
      template: {
        ...pod,
        spec: {
          restartPolicy: 'Never',
          ...podSpec,
          ...(podSpec['initContainers'] !== undefined && { initContainers: withEnvironment('initContainers') }),
          containers: withEnvironment('containers'),
          ...(hook.onNode && {
            nodeName: maintenance.nodeName,
            tolerations: [...list(podSpec, 'tolerations'), { operator: 'Exists' }],
          }),
        },
      },
    },
  };
}
