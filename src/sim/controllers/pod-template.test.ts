import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodTemplate } from '../kubernetes.ts';
import { sameTemplate, TEMPLATE_HASH, templateDigest } from './pod-template.ts';

const label = fc.constantFrom('web', 'db');
const absent = fc.constantFrom(undefined, null);
const template = fc.record(
  {
    metadata: fc.record(
      {
        labels: fc.record({ app: label, [TEMPLATE_HASH]: label }, { requiredKeys: [] }),
        annotations: fc.record({ note: label }, { requiredKeys: [] }),
        creationTimestamp: absent,
      },
      { requiredKeys: [] },
    ),
    spec: fc.record({
      containers: fc.array(fc.record({ name: label, image: fc.option(label) }, { requiredKeys: ['name'] }), { maxLength: 2 }),
    }),
  },
  { requiredKeys: ['spec'] },
) as fc.Arbitrary<unknown> as fc.Arbitrary<PodTemplate>;

describe('two templates', () => {
  it('say the same exactly when their digests are equal', () => {
    fc.assert(
      fc.property(template, template, (a, b) => {
        expect(sameTemplate(a, b)).toBe(templateDigest(a) === templateDigest(b));
        expect(sameTemplate(a, structuredClone(a))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
