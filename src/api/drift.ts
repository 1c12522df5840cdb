/** What a node should be, as a reason of type Drift names it. */
import * as z from 'zod';
import { type Rule, withRules } from './cel-rule.ts';
import { compileNodeExpression } from './node-expression.ts';
import { labelValue, qualifiedName } from './scalars.ts';

const versionText = (description: string) => z.string().min(1).max(256).describe(description);

/** Exactly one of the fields is set. */
function oneOf<F extends string>(fields: readonly F[]): Rule<{ [K in F]?: unknown }> {
  return {
    cel: `[${fields.map((field) => `has(self.${field})`).join(', ')}].filter(each, each).size() == 1`,
    message: `exactly one of ${fields.join(', ')} must be set`,
    holds: (value) => fields.filter((field) => value[field] !== undefined).length === 1,
  };
}

const software = withRules(
  z.strictObject({
    what: z
      .enum(['Kubelet', 'OSImage', 'Kernel', 'ContainerRuntime'])
      .describe('Which entry of the node’s status.nodeInfo: kubeletVersion, osImage, kernelVersion or containerRuntimeVersion.'),
    exactly: versionText('The node has drifted unless it has just this text.').exactOptional(),
    atLeast: versionText('The node has drifted when its version is lower, like v1.34.2 below v1.34.10.').exactOptional(),
    newestOf: qualifiedName()
      .exactOptional()
      .describe('A label key: the node has drifted when another node with the same value of this label has a higher version.'),
  }),
  [oneOf(['exactly', 'atLeast', 'newestOf'])],
);

const expectedLabel = z.strictObject({
  key: qualifiedName().describe('Key of the label, like kubernetes.azure.com/node-image-version.'),
  value: labelValue().describe('What it should be. A node without the label has drifted, too.'),
});

// The API server cannot compile it: there it is only a text, and the controller that reads it says what is wrong.
const expression = z
  .string()
  .min(1)
  .max(1024)
  .superRefine((text, context) => {
    try {
      compileNodeExpression(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      context.addIssue({ code: 'custom', message: `is no expression over a node: ${error.message}` });
    }
  })
  .describe(
    'In the Common Expression Language over `node` (name, labels, annotations, taints, conditions, versions, unschedulable, ready, createdAt): true means drifted. Without matches(), and with at most two loops.',
  );

export const driftMatch = withRules(
  z.strictObject({
    version: software.exactOptional().describe('The version of what runs on the machine.'),
    label: expectedLabel
      .exactOptional()
      .describe('A label that says how the machine was made: node image, AMI, launch template.'),
    expression: expression.exactOptional(),
  }),
  [oneOf(['version', 'label', 'expression'])],
);
