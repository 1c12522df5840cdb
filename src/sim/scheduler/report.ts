/** What the scheduler tells of a pod: the PodScheduled condition, and Events when asked for. */
import type { Api } from '../apiserver/api.ts';
import { coreEvents, pods } from '../apiserver/kinds.ts';
import { withCondition } from '../conditions.ts';
import type { Pod } from '../kubernetes.ts';
import { microTimestamp, timestamp } from '../timestamp.ts';

export interface Reporter {
  scheduled(pod: Pod, node: string): void;
  /** `nominated`: the node that preemption clears for it. */
  refused(pod: Pod, message: string, nominated?: string): void;
}

// k8s.io/kubernetes pkg/apis/core/validation/events.go, NoteLengthLimit.
const LONGEST_NOTE = 1024;

export function createReporter(api: Api, { name, events }: { readonly name: string; readonly events: boolean }): Reporter {
  let count = 0;

  function record(pod: Pod, type: 'Normal' | 'Warning', reason: string, action: string, text: string): void {
    if (!events) return;
    const now = api.clock.now();
    const message = text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE - 4)} ...` : text;
    const { namespace = 'default', name: podName, uid, resourceVersion } = pod.metadata;
    count++;
    api.create(coreEvents, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${podName}.${now.toString(16)}${count.toString(16).padStart(4, '0')}`, namespace },
      involvedObject: { kind: 'Pod', namespace, name: podName, uid, apiVersion: 'v1', resourceVersion },
      reason,
      message,
      type,
      action,
      source: {},
      eventTime: microTimestamp(now),
      firstTimestamp: null,
      lastTimestamp: null,
      reportingComponent: name,
      reportingInstance: name,
    });
  }

  return {
    scheduled(pod, node) {
      const { namespace, name: podName } = pod.metadata;
      record(pod, 'Normal', 'Scheduled', 'Binding', `Successfully assigned ${namespace}/${podName} to ${node}`);
    },
    refused(pod, message, nominated) {
      const { namespace = '', name: podName, uid } = pod.metadata;
      record(pod, 'Warning', 'FailedScheduling', 'Scheduling', message);
      const now = timestamp(api.clock.now());
      api.modify(
        pods,
        namespace,
        podName,
        (current) => {
          if (current.metadata.uid !== uid) return current;
          const { generation } = current.metadata;
          const conditions = withCondition(
            current.status?.conditions,
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'Unschedulable',
              message,
              lastProbeTime: null,
              ...(generation !== undefined && { observedGeneration: generation }),
            },
            now,
          );
          const moved = nominated !== undefined && current.status?.nominatedNodeName !== nominated;
          if (conditions === current.status?.conditions && !moved) return current;
          return { ...current, status: { ...current.status, conditions, ...(moved && { nominatedNodeName: nominated }) } };
        },
        { subresource: 'status' },
      );
    },
  };
}
