/** The checks of a pod's spec that a cluster of this kind can meet (kubernetes pkg/apis/core/validation/validation.go). */
import type { Container, Pod, PodSpec, Toleration } from '../../kubernetes.ts';
import { milliOf, unitsOf } from '../../quantity.ts';
import { same } from '../../store/same.ts';
import { labelErrors } from '../metadata.ts';
import { dnsLabel, dnsSubdomain, labelValueErrors, qualifiedNameErrors } from '../names.ts';
import { duplicate, forbiddenField, immutable, invalidValue, notSupported, required, type FieldError } from '../refusals.ts';
import type { Loose } from './fill.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function effectErrors(effect: string | undefined, field: string, mayBeEmpty: boolean): FieldError[] {
  if (!effect) return mayBeEmpty ? [] : [required(field)];
  return EFFECTS.includes(effect) ? [] : [notSupported(field, effect, EFFECTS)];
}

export function tolerationErrors(list: readonly Toleration[] | undefined, field: string): FieldError[] {
  return (list ?? []).flatMap((toleration, at) => {
    const path = `${field}[${at}]`;
    const { key, operator, value = '', effect, tolerationSeconds } = toleration;
    const errors: FieldError[] = [];
    if (key) for (const text of qualifiedNameErrors(key)) errors.push(invalidValue(`${path}.key`, key, text));
    if (!key && operator !== 'Exists')
      errors.push(
        invalidValue(
          `${path}.operator`,
          operator ?? '',
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      errors.push(invalidValue(`${path}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (!operator || operator === 'Equal') {
      const texts = labelValueErrors(value);
      if (texts.length > 0) errors.push(invalidValue(`${path}.operator`, value, texts.join(';')));
    } else if (operator === 'Exists') {
      if (value) errors.push(invalidValue(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    } else errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
    return [...errors, ...effectErrors(effect, `${path}.effect`, true)];
  });
}

function containerErrors(list: readonly Container[] | undefined, field: string, names: Set<string>): FieldError[] {
  return (list ?? []).flatMap((container, at) => {
    const path = `${field}[${at}]`;
    const errors: FieldError[] = [];
    if (!container.name) errors.push(required(`${path}.name`));
    else for (const text of dnsLabel(container.name)) errors.push(invalidValue(`${path}.name`, container.name, text));
    if (names.has(container.name)) errors.push(duplicate(`${path}.name`, container.name));
    else names.add(container.name);
    if (!container.image) errors.push(required(`${path}.image`));
    errors.push(...resourceErrors(container, path));
    container.ports?.forEach(({ containerPort, hostPort }, index) => {
      const wrong = (port: number) => !Number.isInteger(port) || port < 1 || port > 65535;
      const text = 'must be between 1 and 65535, inclusive';
      if (!containerPort) errors.push(required(`${path}.ports[${index}].containerPort`));
      else if (wrong(containerPort)) errors.push(invalidValue(`${path}.ports[${index}].containerPort`, containerPort, text));
      if (hostPort && wrong(hostPort)) errors.push(invalidValue(`${path}.ports[${index}].hostPort`, hostPort, text));
    });
    return errors;
  });
}

const RESTARTS = ['Always', 'OnFailure', 'Never'];
const isNative = (name: string) => !name.includes('/') || name.split('/')[0]?.endsWith('kubernetes.io') === true;

function resourceErrors({ resources }: Container, path: string): FieldError[] {
  const { requests = {}, limits = {} } = resources ?? {};
  return Object.keys(requests).flatMap((name) => {
    const [asked, limit] = [requests[name], limits[name]];
    if (asked === undefined || limit === undefined) return [];
    const number = name === 'cpu' ? milliOf : unitsOf;
    const more = number(asked) - number(limit);
    const text = `${name} limit of ${limit}`;
    // What cannot be shared out twice is asked for as a whole.
    if (more !== 0 && (!isNative(name) || name.startsWith('hugepages-')))
      return [invalidValue(`${path}.resources.requests`, String(asked), `must be equal to ${text}`)];
    return more > 0 ? [invalidValue(`${path}.resources.requests`, String(asked), `must be less than or equal to ${text}`)] : [];
  });
}

const DNS = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** Specs of templates and of the pods made from them are shared, and need to be looked at once. */
const sound = new WeakSet<PodSpec>();

export function podSpecErrors(spec: PodSpec, field: string): readonly FieldError[] {
  if (sound.has(spec)) return [];
  const errors = allSpecErrors(spec, field);
  if (errors.length === 0) sound.add(spec);
  return errors;
}

// `field` is "spec" for a pod and "spec.template.spec" for a template.
function allSpecErrors(spec: PodSpec, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const volumes = new Set<string>();
  spec.volumes?.forEach(({ name }, at) => {
    const path = `${field}.volumes[${at}].name`;
    if (!name) errors.push(required(path));
    else for (const text of dnsLabel(name)) errors.push(invalidValue(path, name, text));
    if (volumes.has(name)) errors.push(duplicate(path, name));
    volumes.add(name);
  });
  if (!spec.containers?.length) errors.push(required(`${field}.containers`));
  const names = new Set<string>();
  errors.push(...containerErrors(spec.containers, `${field}.containers`, names));
  errors.push(...containerErrors(spec.initContainers, `${field}.initContainers`, names));
  for (const [path, list] of [
    [`${field}.initContainers`, spec.initContainers],
    [`${field}.containers`, spec.containers],
  ] as const)
    list?.forEach((container, at) => {
      const mounts = (container as { volumeMounts?: readonly { name: string }[] }).volumeMounts ?? [];
      mounts.forEach(({ name }, index) => {
        if (!volumes.has(name))
          errors.push({
            reason: 'FieldValueNotFound',
            field: `${path}[${at}].volumeMounts[${index}].name`,
            message: `Not found: ${JSON.stringify(name)}`,
          });
      });
    });
  const { dnsPolicy } = spec as { dnsPolicy?: string };
  if (spec.restartPolicy && !RESTARTS.includes(spec.restartPolicy))
    errors.push(notSupported(`${field}.restartPolicy`, spec.restartPolicy, RESTARTS));
  if (dnsPolicy && !DNS.includes(dnsPolicy)) errors.push(notSupported(`${field}.dnsPolicy`, dnsPolicy, DNS));
  errors.push(...labelErrors(spec.nodeSelector, `${field}.nodeSelector`));
  spec.topologySpreadConstraints?.forEach(({ maxSkew, topologyKey, whenUnsatisfiable }, at) => {
    const path = `${field}.topologySpreadConstraints[${at}]`;
    if (!(maxSkew > 0)) errors.push(invalidValue(`${path}.maxSkew`, maxSkew ?? 0, 'must be greater than zero'));
    if (!topologyKey) errors.push(required(`${path}.topologyKey`, 'can not be empty'));
    if (!['DoNotSchedule', 'ScheduleAnyway'].includes(whenUnsatisfiable))
      errors.push(notSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable ?? '', ['DoNotSchedule', 'ScheduleAnyway']));
  });
  if (spec.nodeName)
    for (const text of dnsSubdomain(spec.nodeName)) errors.push(invalidValue(`${field}.nodeName`, spec.nodeName, text));
  for (const [name, value] of [
    ['hostname', spec.hostname],
    ['subdomain', spec.subdomain],
  ] as const)
    if (value) for (const text of dnsLabel(value)) errors.push(invalidValue(`${field}.${name}`, value, text));
  if (spec.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds < 1)
    errors.push(
      invalidValue(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 'must be between 1 and 2147483647, inclusive'),
    );
  errors.push(...tolerationErrors(spec.tolerations, `${field}.tolerations`));
  return errors;
}

export function podErrors({ spec }: Pod): FieldError[] {
  if (!spec) return [required('spec.containers')];
  const errors = [...podSpecErrors(spec, 'spec')];
  if (spec.nodeName && spec.schedulingGates?.length)
    errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  return errors;
}

const CHANGEABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

const withoutSeconds = (toleration: Toleration) => ({ ...toleration, tolerationSeconds: undefined });

function tolerationChangeErrors(next: readonly Toleration[], current: readonly Toleration[]): FieldError[] {
  if (next === current) return [];
  const kept = current.every((old) => next.some((one) => same(withoutSeconds(one), withoutSeconds(old))));
  if (!kept) return [forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
  return tolerationErrors(next, 'spec.tolerations');
}

function gateErrors(next: PodSpec, current: PodSpec): FieldError[] {
  const old = new Set(current.schedulingGates?.map(({ name }) => name));
  return (next.schedulingGates ?? []).flatMap(({ name }, at) =>
    old.has(name)
      ? []
      : [forbiddenField(`spec.schedulingGates[${at}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`)],
  );
}

/** A gated pod may still be steered: more node selector, other node affinity. */
function steering(next: PodSpec, current: PodSpec, errors: FieldError[]): Loose {
  if (!current.schedulingGates?.length) return {};
  const selector = next.nodeSelector ?? {};
  for (const key of Object.keys(current.nodeSelector ?? {}))
    if (selector[key] !== current.nodeSelector?.[key]) {
      errors.push(
        invalidValue(
          'spec.nodeSelector',
          selector,
          'only additions to spec.nodeSelector are allowed (no mutations or deletions)',
        ),
      );
      break;
    }
  return { nodeSelector: current.nodeSelector, affinity: current.affinity };
}

export function podUpdateErrors(next: Pod, current: Pod): FieldError[] {
  if (next.spec === current.spec || same(next.spec, current.spec)) return [];
  const [to, from] = [next.spec, current.spec];
  for (const field of ['containers', 'initContainers'] as const)
    if ((to[field]?.length ?? 0) !== (from[field]?.length ?? 0))
      return [forbiddenField(`spec.${field}`, 'pod updates may not add or remove containers')];
  const errors: FieldError[] = [];
  const [deadline, before] = [to.activeDeadlineSeconds, from.activeDeadlineSeconds];
  if (deadline === undefined && before !== undefined)
    errors.push(invalidValue('spec.activeDeadlineSeconds', null, 'must not update from a positive integer to nil value'));
  if (deadline !== undefined && before !== undefined && deadline > before)
    return [invalidValue('spec.activeDeadlineSeconds', deadline, 'must be less than or equal to previous value')];
  errors.push(...tolerationChangeErrors(to.tolerations ?? [], from.tolerations ?? []), ...gateErrors(to, from));
  const images = (list: readonly Container[] | undefined, old: readonly Container[] | undefined) =>
    list?.map((container, at) => ({ ...container, image: old?.[at]?.image }));
  const munged = {
    ...to,
    ...steering(to, from, errors),
    containers: images(to.containers, from.containers),
    initContainers: images(to.initContainers, from.initContainers),
    activeDeadlineSeconds: before,
    tolerations: from.tolerations,
    schedulingGates: from.schedulingGates,
  };
  // Upstream appends a diff of its internal types, which nobody parses.
  if (!same(munged, from)) errors.push(forbiddenField('spec', `pod updates may not change fields other than ${CHANGEABLE}\n`));
  return errors;
}

export function podStatusErrors(next: Pod, current: Pod): FieldError[] {
  const errors: FieldError[] = [];
  if (current.status?.qosClass && next.status?.qosClass !== current.status.qosClass)
    errors.push(immutable('status.qosClass', next.status?.qosClass));
  if (
    current.spec.nodeName &&
    next.status?.nominatedNodeName &&
    next.status.nominatedNodeName !== current.status?.nominatedNodeName
  )
    errors.push(forbiddenField('status.nominatedNodeName', 'may not be set on pods that are already bound to a node'));
  return errors;
}
