/** The envelope of our resources and the parts of status that they share. */
import * as z from 'zod';
import { GROUP_VERSION } from './names.ts';
import { dateTime, objectName, qualifiedName } from './scalars.ts';

const stringMap = z.record(z.string(), z.string());

/** What we read of metadata; the rest passes through. */
const metadata = z.looseObject({
  name: objectName(),
  uid: z.string().exactOptional(),
  resourceVersion: z.string().exactOptional(),
  generation: z.int().exactOptional(),
  creationTimestamp: z.string().exactOptional(),
  deletionTimestamp: z.string().exactOptional(),
  labels: stringMap.exactOptional(),
  annotations: stringMap.exactOptional(),
  finalizers: z.array(z.string()).exactOptional(),
});

/** A whole object; unknown fields of `spec` are errors, as with `kubectl apply`'s strict validation. */
export function resource<Kind extends string, Spec extends z.ZodType, Status extends z.ZodType>(
  kind: Kind,
  spec: Spec,
  status: Status,
) {
  return z.strictObject({
    apiVersion: z.literal(GROUP_VERSION),
    kind: z.literal(kind),
    metadata,
    spec,
    status: status.exactOptional(),
  });
}

/** metav1.Condition, with its own bounds (k8s.io/apimachinery, pkg/apis/meta/v1/types.go). */
const condition = z
  .object({
    type: qualifiedName().describe('What the condition is about.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
    observedGeneration: z.int().min(0).exactOptional().describe('The metadata.generation that it was judged on.'),
    lastTransitionTime: dateTime().describe('When status changed last.'),
    reason: z.string().min(1).max(1024).describe('One word for programs.'),
    message: z.string().max(32_768).describe('A sentence for people.'),
  })
  .meta({ title: 'Condition' });

export const conditions = z
  .array(condition)
  .max(32)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });
