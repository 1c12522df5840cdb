/** Between served versions and the stored form. */
import type { KubeObject } from '../kubernetes.ts';
import type { WatchEvent } from './api.ts';
import type { Conversion } from './resource.ts';

type Fields = Record<string, unknown>;

/** Keeps what a conversion gave as long as its input lives, so that one object stays one object. */
function remembered(convert: (object: KubeObject) => KubeObject): (object: KubeObject) => KubeObject {
  const known = new WeakMap<KubeObject, KubeObject>();
  return (object) => {
    let converted = known.get(object);
    if (!converted) known.set(object, (converted = convert(object)));
    return converted;
  };
}

function renamed(object: KubeObject, apiVersion: string, names: Readonly<Record<string, string>>): KubeObject {
  const out: Fields = {};
  for (const field in object) out[names[field] ?? field] = object[field];
  out.apiVersion = apiVersion;
  return out as unknown as KubeObject;
}

const asCore: Readonly<Record<string, string>> = {
  note: 'message',
  regarding: 'involvedObject',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
};
const asEvents = Object.fromEntries(Object.entries(asCore).map(([name, core]) => [core, name]));

/** The two Event kinds are one collection, stored as core/v1 (kubernetes pkg/apis/events/v1/conversion.go). */
export const eventConversion: Conversion = {
  toStored: (object) => renamed(object, 'v1', asCore),
  fromStored: remembered((object) => renamed(object, 'events.k8s.io/v1', asEvents)),
};

/** Served versions of one custom resource differ by name only (conversion strategy None). */
export function versionConversion(served: string, storage: string): Conversion {
  return {
    toStored: (object) => ({ ...object, apiVersion: storage }),
    fromStored: remembered((object) => ({ ...object, apiVersion: served })),
  };
}

export function convertedEvents(
  { fromStored }: Conversion,
  handler: (event: WatchEvent<KubeObject>) => void,
): (event: WatchEvent<KubeObject>) => void {
  return (event) => {
    const object = fromStored(event.object);
    if (event.type === 'ADDED') handler({ type: 'ADDED', object });
    else handler({ type: event.type, object, previous: fromStored(event.previous) });
  };
}
