/** What a controller tells about an object, as `kubectl describe` shows it: core/v1 Events (client-go tools/record). */
import type { Api, Kind } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { coreEvents } from '../apiserver/kinds.ts';
import type { KubeObject } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import { groupVersionOf } from './controller-ref.ts';

export interface EventRecorder {
  tell(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

/** `on`: a large simulation tells nothing; an event is a write like any other. Default: off. */
export function createEventRecorder(api: Api, kind: Kind, component: string, on = false): EventRecorder {
  let count = 0;
  return {
    tell({ metadata: { namespace = 'default', name, uid, resourceVersion } }, type, reason, message) {
      if (!on) return;
      const now = api.clock.now();
      count += 1;
      try {
        api.create(coreEvents, {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: `${name}.${now.toString(16)}${count.toString(16).padStart(4, '0')}`, namespace },
          involvedObject: { kind: kind.kind, namespace, name, uid, apiVersion: groupVersionOf(kind), resourceVersion },
          reason,
          message,
          source: { component },
          firstTimestamp: timestamp(now),
          lastTimestamp: timestamp(now),
          count: 1,
          type,
          eventTime: null,
          reportingComponent: component,
          reportingInstance: '',
        });
      } catch (error) {
        // Told at best: nothing is held up by an event that a vanishing namespace refuses.
        if (!(error instanceof Failure)) throw error;
      }
    },
  };
}
