/** Checks that workloads have in common (kubernetes pkg/apis/apps/validation/validation.go). */
import type { Labels, PodTemplate, Selector } from '../../kubernetes.ts';
import { matchesSelector } from '../../store/label-selectors.ts';
import { labelErrors } from '../metadata.ts';
import { labelValueErrors, qualifiedNameErrors } from '../names.ts';
import { forbiddenField, invalidValue, notSupported, required, type FieldError } from '../refusals.ts';
import { podSpecErrors } from './pod-validation.ts';

export function nonNegative(field: string, value: unknown): FieldError[] {
  return typeof value === 'number' && value < 0 ? [invalidValue(field, value, 'must be greater than or equal to 0')] : [];
}

const PERCENT = /^[0-9]+%$/;

/** A count or a percentage as a number, to compare with 0. */
export const amountOf = (value: string | number | undefined) =>
  typeof value === 'string' ? Number.parseInt(value, 10) || 0 : (value ?? 0);

export function intOrPercentErrors(field: string, value: string | number | undefined, atMost100 = true): FieldError[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'number') return nonNegative(field, value);
  if (!PERCENT.test(value))
    return [
      invalidValue(
        field,
        value,
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ),
    ];
  return atMost100 && amountOf(value) > 100 ? [invalidValue(field, value, 'must not be greater than 100%')] : [];
}

/** A LabelSelector (apimachinery pkg/apis/meta/v1/validation). */
export function selectorErrors(field: string, selector: Selector | undefined): FieldError[] {
  const errors = labelErrors(selector?.matchLabels, `${field}.matchLabels`);
  selector?.matchExpressions?.forEach(({ key, operator, values = [] }, at) => {
    const path = `${field}.matchExpressions[${at}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        errors.push(forbiddenField(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else errors.push(invalidValue(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
    for (const text of qualifiedNameErrors(key ?? '')) errors.push(invalidValue(`${path}.key`, key ?? '', text));
    values.forEach((value, index) => {
      for (const text of labelValueErrors(value)) errors.push(invalidValue(`${path}.values[${index}]`, value, text));
    });
  });
  return errors;
}

export function templateErrors(template: PodTemplate | undefined, field: string): FieldError[] {
  const errors = labelErrors(template?.metadata?.labels, `${field}.labels`);
  return [...errors, ...podSpecErrors(template?.spec ?? { containers: [] }, `${field}.spec`)];
}

const isEmpty = ({ matchLabels, matchExpressions }: Selector) =>
  Object.keys(matchLabels ?? {}).length + (matchExpressions?.length ?? 0) === 0;

const sorted = (labels: Labels | undefined) =>
  labels && Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Selector and template of a workload whose pods restart always. `noun` is what upstream calls it in the message. */
export function selectionErrors(
  spec: { readonly selector?: Selector; readonly template: PodTemplate },
  noun: string,
  owner: string,
): FieldError[] {
  const { selector, template } = spec;
  const errors: FieldError[] = [];
  if (!selector) errors.push(required('spec.selector'));
  else {
    errors.push(...selectorErrors('spec.selector', selector));
    if (isEmpty(selector)) errors.push(invalidValue('spec.selector', selector, `empty selector is invalid for ${noun}`));
  }
  const labels = template?.metadata?.labels;
  if (!selector || (!isEmpty(selector) && !matchesSelector(selector, labels)))
    errors.push(invalidValue('spec.template.metadata.labels', sorted(labels), '`selector` does not match template `labels`'));
  errors.push(...templateErrors(template, 'spec.template'));
  const { restartPolicy = 'Always', activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== 'Always') errors.push(notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']));
  if (activeDeadlineSeconds !== undefined)
    errors.push(forbiddenField('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${owner} is not Supported`));
  return errors;
}
