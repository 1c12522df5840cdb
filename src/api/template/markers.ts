/** What a template of a notice may name. Pure; the values are made in src/notify/markers.ts. */
import { parseTemplate, type Template } from './parse.ts';

/** Those of aks-node-termination-handler, whose templates are taken over as they are, and after `NodePods` Drover's own. */
export const markerNames = [
  'Event',
  'NodeName',
  'NodeLabels',
  'ClusterName',
  'InstanceType',
  'NodeArch',
  'NodeOS',
  'NodeRole',
  'NodeRegion',
  'NodeZone',
  'NodePods',
  'Topic',
  'Phase',
  'Policy',
  'Reason',
  'ReasonType',
  'Maintenance',
  'Message',
  'Text',
  'Severity',
  'WaitingFor',
  'Pods',
  'Run',
  'Time',
] as const;

export type MarkerName = (typeof markerNames)[number];

export const functionNames = [
  // text/template's own
  'and',
  'or',
  'not',
  'len',
  'index',
  'slice',
  'print',
  'printf',
  'println',
  'html',
  'urlquery',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  // of sprig, which users of aws-node-termination-handler know
  'toJson',
  'json',
  'default',
  'upper',
  'lower',
  'trim',
  'join',
  'quote',
  'replace',
  'contains',
  'hasPrefix',
  'hasSuffix',
  'trunc',
] as const;

export type FunctionName = (typeof functionNames)[number];

const rules = { functions: new Set<string>(functionNames), markers: new Set<string>(markerNames) };

/** A text without actions may name the node as `%s`, as kured's messages do. @throws TemplateError */
export function parseNoticeTemplate(source: string): Template {
  return parseTemplate(source.includes('{{') ? source : source.replaceAll('%s', '{{ .NodeName }}'), rules);
}
