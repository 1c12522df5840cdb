/** How server-side apply merges a custom resource: what its schema says of lists and maps (kube-openapi schemaconv). */
import { type Shape, wholeShape, withMetadata } from '../patch/shape.ts';
import { type Schema, schemaOf } from './schema.ts';

const shapes = new WeakMap<Schema, Shape>();

export function shapeOfResource(schema: Schema): Shape {
  return withMetadata(shapeOfSchema(schema));
}

function shapeOfSchema(schema: Schema): Shape {
  let shape = shapes.get(schema);
  if (!shape) shapes.set(schema, (shape = convert(schema)));
  return shape;
}

function convert(schema: Schema): Shape {
  const { items, properties } = schema;
  if (schema['x-kubernetes-map-type'] === 'atomic') return wholeShape;
  if (schema['x-kubernetes-embedded-resource']) return withMetadata(objectShape(schema));
  if (schema['x-kubernetes-list-type'] === 'set') return { set: true };
  if (schema['x-kubernetes-list-type'] === 'map' && items) {
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    const withDefault = (name: string) => {
      const byDefault = items.properties?.[name]?.default;
      return byDefault === undefined ? { name } : { name, default: byDefault };
    };
    return { keys: keys.map(withDefault), element: shapeOfSchema(items) };
  }
  return properties || schema.additionalProperties !== undefined || schema.type === 'object' ? objectShape(schema) : {};
}

function objectShape(schema: Schema): Shape {
  return {
    declares: (name) => schema.properties !== undefined && Object.hasOwn(schema.properties, name),
    field(name) {
      const own = schemaOf(schema, name);
      // What no schema describes merges by its form; its objects are maps.
      return own ? shapeOfSchema(own) : untyped;
    },
  };
}

const untyped: Shape = { declares: () => false, field: () => untyped };
