/** charts/drover/values.schema.json: every value of the chart. Settings and policies are held to the very schemas that read them. */
import * as z from 'zod';
import { policySpec } from '../../src/api/maintenance-policy.ts';
import { namespaceName, objectName } from '../../src/api/scalars.ts';
import { inputSchema, type JsonSchema } from '../../src/api/structural-schema.ts';
import { agentConfig } from '../../src/cli/agent-config.ts';
import { controllerConfig } from '../../src/cli/controller-config.ts';

/** What the chart writes into the files itself. */
const setByChart = { metricsAddress: true } as const;
export const controllerSettings = controllerConfig.omit({
  ...setByChart,
  leaderElect: true,
  leaderElectionNamespace: true,
  rebootNamespace: true,
});
export const agentSettings = agentConfig.omit({ ...setByChart, nodeName: true });

// A part of a Kubernetes object, which the API server checks.
const kubernetes = () => z.looseObject({});
const texts = z.record(z.string(), z.string());
const port = z.int().min(1).max(65_535);
const optional = (name: z.ZodString) => z.union([z.literal(''), name]);
const images = {
  repository: z.string().regex(/^[^\s@]*$/),
  tag: z.string().regex(/^[\w.-]{0,128}$/),
  digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
};
const serviceAccount = z.strictObject({ create: z.boolean(), name: optional(objectName()), annotations: texts });
const monitor = z.strictObject({
  enabled: z.boolean(),
  labels: texts,
  interval: z.string().regex(/^(\d+(ms|s|m|h))*$/),
});
// Of a container; a value that is meant to be secret is a reference.
const variable = z.union([
  z.strictObject({ name: z.string().min(1), value: z.string() }),
  z.strictObject({ name: z.string().min(1), valueFrom: kubernetes() }),
]);

const ofBoth = {
  env: z.array(variable),
  extraVolumes: z.array(kubernetes()),
  extraVolumeMounts: z.array(kubernetes()),
  podLabels: texts,
  podAnnotations: texts,
  priorityClassName: z.string(),
  tolerations: z.array(kubernetes()),
  nodeSelector: texts,
  affinity: kubernetes(),
  metricsPort: port,
  serviceAccount,
};

const ofOneSystem = {
  enabled: z.boolean(),
  config: agentSettings.partial(),
  resources: kubernetes(),
};

const controller = z.strictObject({
  ...ofBoth,
  enabled: z.boolean(),
  replicas: z.int().min(1),
  config: controllerSettings.partial(),
  podDisruptionBudget: z.strictObject({ enabled: z.boolean() }),
  resources: kubernetes(),
});

const agent = z.strictObject({
  ...ofBoth,
  enabled: z.boolean(),
  config: agentSettings.partial(),
  admissionPolicy: z.boolean(),
  hostNetwork: z.boolean(),
  maxUnavailable: z.union([z.int().min(1), z.string().regex(/^([1-9][0-9]?|100)%$/)]),
  linux: z.strictObject({ ...ofOneSystem, hostRun: z.boolean() }),
  windows: z.strictObject({ ...ofOneSystem, image: z.strictObject(images), hostProcess: z.boolean() }),
});

const readable = z.strictObject({
  namespace: namespaceName(),
  secrets: z.array(objectName()).min(1).exactOptional(),
  configMaps: z.array(objectName()).min(1).exactOptional(),
});

export const chartValues = z.strictObject({
  fullnameOverride: optional(objectName()),
  image: z.strictObject({
    ...images,
    repository: images.repository.min(1),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
    pullSecrets: z.array(z.strictObject({ name: objectName() })),
  }),
  commonLabels: texts,
  commonAnnotations: texts,
  policies: z.array(
    z.strictObject({
      name: objectName(),
      labels: texts.exactOptional(),
      annotations: texts.exactOptional(),
      spec: policySpec,
    }),
  ),
  controller,
  rbac: z.strictObject({
    create: z.boolean(),
    readable: z.array(readable),
    deleteNodes: z.boolean(),
    hookNamespaces: z.array(namespaceName()),
    settledGates: z.boolean(),
    namespaceChannels: z.boolean(),
  }),
  reboot: z.strictObject({
    enabled: z.boolean(),
    namespace: z.strictObject({ name: namespaceName(), create: z.boolean() }),
  }),
  agent,
  metrics: z.strictObject({
    service: z.strictObject({ enabled: z.boolean(), annotations: texts }),
    scrapeAnnotations: z.boolean(),
    serviceMonitor: monitor,
    podMonitor: monitor,
    prometheusRule: z.strictObject({ enabled: z.boolean(), labels: texts, alertLabels: texts }),
  }),
  networkPolicy: z.strictObject({
    enabled: z.boolean(),
    controlPlane: z.strictObject({ cidrs: z.array(z.string().regex(/^[0-9a-fA-F.:]+\/\d{1,3}$/)), ports: z.array(port).min(1) }),
    dns: z.strictObject({ namespace: namespaceName(), ports: z.array(port).min(1) }),
    metricsFrom: z.array(kubernetes()),
    controllerEgress: z.array(kubernetes()),
    agentEgress: z.array(kubernetes()),
  }),
  openshift: z.strictObject({ enabled: z.boolean() }),
  criticalPodsQuota: z.boolean(),
  // Helm's own: what a parent chart shares with all of its parts.
  global: kubernetes().exactOptional(),
});

// What Helm's validator reads; the rest is for the API server or for pages.
const keywords = [
  'type',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'pattern',
  'required',
  'properties',
  'additionalProperties',
  'items',
  'anyOf',
] as const satisfies (keyof JsonSchema)[];

function forHelm(source: JsonSchema): JsonSchema {
  const schema: JsonSchema = Object.fromEntries(
    keywords.flatMap((word) => (source[word] === undefined ? [] : [[word, source[word]]])),
  );
  // Times have a pattern that Go need not understand; the API server reads them.
  if (source.format === 'date-time') delete schema.pattern;
  if (source.properties)
    schema.properties = Object.fromEntries(Object.entries(source.properties).map(([name, part]) => [name, forHelm(part)]));
  if (typeof source.additionalProperties === 'object') schema.additionalProperties = forHelm(source.additionalProperties);
  if (source.items) schema.items = forHelm(source.items);
  if (source.anyOf) schema.anyOf = source.anyOf.map(forHelm);
  return schema;
}

/** The file's text. No value is required: Helm has put those of values.yaml below them before it looks. */
export function valuesSchema(): string {
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', ...forHelm(inputSchema(chartValues)) };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
