/** The CustomResourceDefinitions, computed from the schemas: what `drover crds` prints and the chart ships. */
import type * as z from 'zod';
import { maintenancePolicy, policySpec, policyStatus } from './maintenance-policy.ts';
import { API_GROUP, API_VERSION } from './names.ts';
import { maintenanceSpec, maintenanceStatus, nodeMaintenance } from './node-maintenance.ts';
import { type JsonSchema, structuralSchema } from './structural-schema.ts';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** 1: only with `-o wide`. */
  readonly priority?: 1;
}

/** One kind of ours, for the CRDs and for the reference page. */
export interface ResourceDefinition {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  readonly description: string;
  /** The whole object, as `parse...` checks it. */
  readonly whole: z.ZodType;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly PrinterColumn[];
  readonly selectable: readonly string[];
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

export const definitions: readonly ResourceDefinition[] = [
  {
    kind: 'MaintenancePolicy',
    plural: 'maintenancepolicies',
    singular: 'maintenancepolicy',
    shortName: 'mp',
    description: 'MaintenancePolicy says which nodes are taken out of service for which reasons, how, and within which limits.',
    whole: maintenancePolicy,
    spec: policySpec,
    status: policyStatus,
    selectable: [],
    columns: [
      {
        name: 'Selected',
        type: 'integer',
        jsonPath: '.status.selected',
        description: 'Nodes that the selector selects; an empty selector selects none',
      },
      {
        name: 'Matched',
        type: 'integer',
        jsonPath: '.status.matched',
        description: 'Of those, nodes for which a reason matches now',
      },
      { name: 'Active', type: 'integer', jsonPath: '.status.active' },
      { name: 'Waiting', type: 'integer', jsonPath: '.status.waiting' },
      { name: 'Done', type: 'integer', jsonPath: '.status.done' },
      { name: 'Paused', type: 'boolean', jsonPath: '.spec.paused' },
      { name: 'Waiting For', type: 'string', jsonPath: '.status.waitingFor', priority: 1 },
      age,
    ],
  },
  {
    kind: 'NodeMaintenance',
    plural: 'nodemaintenances',
    singular: 'nodemaintenance',
    shortName: 'nm',
    description: 'NodeMaintenance takes one node out of service once, and tells how that goes.',
    whole: nodeMaintenance,
    spec: maintenanceSpec,
    status: maintenanceStatus,
    selectable: ['.spec.nodeName'],
    columns: [
      { name: 'Node', type: 'string', jsonPath: '.spec.nodeName' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
      {
        name: 'Progress',
        type: 'string',
        jsonPath: '.status.progress.summary',
        description: 'Pods that have left, of those that have to',
      },
      { name: 'Waiting For', type: 'string', jsonPath: '.status.waitingFor.cause' },
      { name: 'Reason', type: 'string', jsonPath: '.spec.reason.message', priority: 1 },
      age,
    ],
  },
];

function openApiSchema(definition: ResourceDefinition): JsonSchema {
  return {
    description: definition.description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { description: 'What is wanted.', ...structuralSchema(definition.spec) },
      status: { description: 'What Drover has observed. Written by Drover only.', ...structuralSchema(definition.status) },
    },
  };
}

function crd(definition: ResourceDefinition): object {
  const { kind, plural, singular, shortName, columns, selectable } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      scope: 'Cluster',
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames: [shortName], categories: ['drover'] },
      versions: [
        {
          name: API_VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          ...(selectable.length > 0 && { selectableFields: selectable.map((jsonPath) => ({ jsonPath })) }),
          schema: { openAPIV3Schema: openApiSchema(definition) },
        },
      ],
    },
  };
}

/** Both CustomResourceDefinitions as plain objects, fresh ones with every call. */
export function crds(): object[] {
  return definitions.map(crd);
}
