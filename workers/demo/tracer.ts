import { type Colour, lift, shade } from './colour.ts';
import { drawRaster, type Raster } from './raster.ts';

/**
 * A small ray tracer for the demo's rooms and still lifes: one room seen from inside, solids in it, one lamp with hard shadows.
 * Metres; x to the right, y up, z away from the camera.
 */

export type Point = readonly [x: number, y: number, z: number];

/** Colour of a surface at a place on it, in metres. */
export type Paint = (across: number, along: number) => Colour;

export interface Material {
  readonly paint: Paint;
  /** 0 dull to 1 mirror-bright highlights. */
  readonly gloss: number;
}

export interface Box {
  readonly kind: 'box';
  readonly min: Point;
  readonly max: Point;
  readonly material: Material;
  /** The side towards the camera and the top, where they differ. */
  readonly front?: Material;
  readonly top?: Material;
}

export interface Sphere {
  readonly kind: 'sphere';
  readonly centre: Point;
  readonly radius: number;
  readonly material: Material;
}

/** Upright; a cylinder when both radii are equal. */
export interface Cone {
  readonly kind: 'cone';
  readonly base: Point;
  readonly height: number;
  readonly baseRadius: number;
  readonly topRadius: number;
  readonly material: Material;
}

export type Solid = Box | Sphere | Cone;

export interface TracedScene {
  /** Seen from inside; its near corner is x = y = z = 0. */
  readonly size: Point;
  readonly floor: Material;
  readonly ceiling: Material;
  readonly left: Material;
  readonly right: Material;
  readonly back: Material;
  readonly solids: readonly Solid[];
  readonly lamp: Point;
  /** Light that comes from everywhere, 0 to 1. */
  readonly ambient: number;
  readonly eye: Point;
  readonly lookAt: Point;
  /** Width of the view at a distance of one metre. */
  readonly viewWidth: number;
}

interface Hit {
  distance: number;
  normalX: number;
  normalY: number;
  normalZ: number;
  across: number;
  along: number;
  material: Material;
}

const NEAR = 1e-4;

export function traceScene(scene: TracedScene): Raster {
  const camera = aim(scene);
  const solids = scene.solids.map((solid) => prepare(solid, scene, camera));
  const hit: Hit = { distance: 0, normalX: 0, normalY: 0, normalZ: 0, across: 0, along: 0, material: scene.floor };
  let row = -1;
  let inRow: readonly Prepared[] = [];
  return drawRaster((x, y) => {
    if (y !== row) {
      row = y;
      inRow = solids.filter((solid) => y >= solid.top && y <= solid.bottom);
    }
    const sideways = (x - 0.5) * camera.viewWidth;
    const upwards = (0.5 - y) * camera.viewHeight;
    const direction = unit([
      camera.forward[0] + camera.right[0] * sideways + camera.up[0] * upwards,
      camera.forward[1] + camera.right[1] * sideways + camera.up[1] * upwards,
      camera.forward[2] + camera.right[2] * sideways + camera.up[2] * upwards,
    ]);
    hitRoom(scene, scene.eye, direction, hit);
    for (const prepared of inRow) {
      if (x >= prepared.left && x <= prepared.right) hitSolid(prepared.solid, scene.eye, direction, hit);
    }
    return lit(scene, solids, direction, hit);
  });
}

interface Camera {
  readonly forward: Point;
  readonly right: Point;
  readonly up: Point;
  readonly viewWidth: number;
  readonly viewHeight: number;
}

function aim({ eye, lookAt, viewWidth }: TracedScene): Camera {
  const forward = unit([lookAt[0] - eye[0], lookAt[1] - eye[1], lookAt[2] - eye[2]]);
  const right = unit([forward[2], 0, -forward[0]]);
  const up: Point = [
    forward[1] * right[2] - forward[2] * right[1],
    forward[2] * right[0] - forward[0] * right[2],
    forward[0] * right[1] - forward[1] * right[0],
  ];
  return { forward, right, up, viewWidth, viewHeight: viewWidth * 0.75 };
}

/** A solid with where it can be on the picture, and in which cone from the lamp it can throw a shadow: most rays need not try it. */
interface Prepared {
  readonly solid: Solid;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly fromLamp: Point;
  readonly lampCosine: number;
}

function prepare(solid: Solid, { eye, lamp }: TracedScene, camera: Camera): Prepared {
  const [min, max] = bounds(solid);
  const around = { left: 1, right: 0, top: 1, bottom: 0 };
  for (const x of [min[0], max[0]]) {
    for (const y of [min[1], max[1]]) {
      for (const z of [min[2], max[2]]) {
        const offset: Point = [x - eye[0], y - eye[1], z - eye[2]];
        const depth = dot(offset, camera.forward);
        // A corner beside or behind the eye has no place on the picture: try the solid everywhere.
        const across = depth < 0.05 ? null : 0.5 + dot(offset, camera.right) / depth / camera.viewWidth;
        const down = depth < 0.05 ? null : 0.5 - dot(offset, camera.up) / depth / camera.viewHeight;
        around.left = Math.min(around.left, across ?? 0);
        around.right = Math.max(around.right, across ?? 1);
        around.top = Math.min(around.top, down ?? 0);
        around.bottom = Math.max(around.bottom, down ?? 1);
      }
    }
  }
  const toMiddle: Point = [
    (min[0] + max[0]) / 2 - lamp[0],
    (min[1] + max[1]) / 2 - lamp[1],
    (min[2] + max[2]) / 2 - lamp[2],
  ];
  const lampDistance = Math.sqrt(dot(toMiddle, toMiddle));
  const reach = Math.hypot(max[0] - min[0], max[1] - min[1], max[2] - min[2]) / 2;
  const lampCosine = reach >= lampDistance ? -1 : Math.sqrt(1 - (reach / lampDistance) ** 2);
  return { solid, ...around, fromLamp: unit(toMiddle), lampCosine };
}

function bounds(solid: Solid): readonly [min: Point, max: Point] {
  if (solid.kind === 'box') return [solid.min, solid.max];
  if (solid.kind === 'sphere') {
    const [x, y, z] = solid.centre;
    const r = solid.radius;
    return [
      [x - r, y - r, z - r],
      [x + r, y + r, z + r],
    ];
  }
  const [x, y, z] = solid.base;
  const r = Math.max(solid.baseRadius, solid.topRadius);
  return [
    [x - r, y, z - r],
    [x + r, y + solid.height, z + r],
  ];
}

function lit(scene: TracedScene, solids: readonly Prepared[], direction: Point, hit: Hit): Colour {
  const place: Point = [
    scene.eye[0] + direction[0] * hit.distance + hit.normalX * NEAR * 10,
    scene.eye[1] + direction[1] * hit.distance + hit.normalY * NEAR * 10,
    scene.eye[2] + direction[2] * hit.distance + hit.normalZ * NEAR * 10,
  ];
  const toLamp: Point = [scene.lamp[0] - place[0], scene.lamp[1] - place[1], scene.lamp[2] - place[2]];
  const lampDistance = Math.sqrt(dot(toLamp, toLamp));
  const lampward: Point = [toLamp[0] / lampDistance, toLamp[1] / lampDistance, toLamp[2] / lampDistance];
  const facing = lampward[0] * hit.normalX + lampward[1] * hit.normalY + lampward[2] * hit.normalZ;
  const reached = facing > 0 && !inShadow(solids, place, lampward, lampDistance);
  const diffuse = reached ? (facing * (1 - scene.ambient) * 1.35) / (0.7 + lampDistance * 0.14) : 0;
  const light = scene.ambient * cornerShade(scene.size, place) + diffuse;
  const colour = shade(hit.material.paint(hit.across, hit.along), light);
  if (!reached || hit.material.gloss === 0) return colour;
  const twice = 2 * facing;
  const highlight = -(
    (twice * hit.normalX - lampward[0]) * direction[0] +
    (twice * hit.normalY - lampward[1]) * direction[1] +
    (twice * hit.normalZ - lampward[2]) * direction[2]
  );
  return highlight <= 0 ? colour : lift(colour, 230 * hit.material.gloss * highlight ** 40);
}

/** Less light reaches the corners of a room. */
function cornerShade(size: Point, place: Point): number {
  return nearWall(place[0], size[0]) * nearWall(place[1], size[1]) * nearWall(place[2], size[2]);
}

function nearWall(position: number, room: number): number {
  const nearest = Math.min(position, room - position);
  return nearest > 0.01 && nearest < 0.5 ? 0.72 + 0.56 * nearest : 1;
}

const probe: Hit = {
  distance: 0,
  normalX: 0,
  normalY: 0,
  normalZ: 0,
  across: 0,
  along: 0,
  material: { paint: () => 0, gloss: 0 },
};

function inShadow(solids: readonly Prepared[], from: Point, lampward: Point, distance: number): boolean {
  probe.distance = distance;
  for (const { solid, fromLamp, lampCosine } of solids) {
    if (-dot(lampward, fromLamp) < lampCosine) continue;
    hitSolid(solid, from, lampward, probe);
    if (probe.distance < distance) return true;
  }
  return false;
}

function hitRoom(
  { size, floor, ceiling, left, right, back }: TracedScene,
  from: Point,
  direction: Point,
  hit: Hit,
): void {
  hit.distance = Number.POSITIVE_INFINITY;
  const [dx, dy, dz] = direction;
  const toX = ((dx > 0 ? size[0] : 0) - from[0]) / dx;
  const toY = ((dy > 0 ? size[1] : 0) - from[1]) / dy;
  const toZ = ((dz > 0 ? size[2] : 0) - from[2]) / dz;
  const distance = Math.min(toX, toY, toZ);
  const x = from[0] + dx * distance;
  const y = from[1] + dy * distance;
  const z = from[2] + dz * distance;
  if (distance === toX) setHit(hit, distance, dx > 0 ? -1 : 1, 0, 0, z, y, dx > 0 ? right : left);
  else if (distance === toY) setHit(hit, distance, 0, dy > 0 ? -1 : 1, 0, x, z, dy > 0 ? ceiling : floor);
  else setHit(hit, distance, 0, 0, dz > 0 ? -1 : 1, x, y, back);
}

/** Replaces the hit when the solid is nearer. */
function hitSolid(solid: Solid, from: Point, direction: Point, hit: Hit): void {
  if (solid.kind === 'box') hitBox(solid, from, direction, hit);
  else if (solid.kind === 'sphere') hitSphere(solid, from, direction, hit);
  else hitCone(solid, from, direction, hit);
}

function hitBox(box: Box, from: Point, direction: Point, hit: Hit): void {
  const inverseX = 1 / direction[0];
  const inverseY = 1 / direction[1];
  const inverseZ = 1 / direction[2];
  const nearX = ((inverseX > 0 ? box.min[0] : box.max[0]) - from[0]) * inverseX;
  const nearY = ((inverseY > 0 ? box.min[1] : box.max[1]) - from[1]) * inverseY;
  const nearZ = ((inverseZ > 0 ? box.min[2] : box.max[2]) - from[2]) * inverseZ;
  const farX = ((inverseX > 0 ? box.max[0] : box.min[0]) - from[0]) * inverseX;
  const farY = ((inverseY > 0 ? box.max[1] : box.min[1]) - from[1]) * inverseY;
  const farZ = ((inverseZ > 0 ? box.max[2] : box.min[2]) - from[2]) * inverseZ;
  const enter = Math.max(nearX, nearY, nearZ);
  if (!(enter > NEAR) || enter >= Math.min(farX, farY, farZ, hit.distance)) return;
  const x = from[0] + direction[0] * enter - box.min[0];
  const y = from[1] + direction[1] * enter - box.min[1];
  const z = from[2] + direction[2] * enter - box.min[2];
  if (enter === nearX) setHit(hit, enter, inverseX > 0 ? -1 : 1, 0, 0, z, y, box.material);
  else if (enter === nearY)
    setHit(hit, enter, 0, inverseY > 0 ? -1 : 1, 0, x, z, inverseY > 0 ? box.material : (box.top ?? box.material));
  else setHit(hit, enter, 0, 0, inverseZ > 0 ? -1 : 1, x, y, inverseZ > 0 ? (box.front ?? box.material) : box.material);
}

function hitSphere({ centre, radius, material }: Sphere, from: Point, direction: Point, hit: Hit): void {
  const x = from[0] - centre[0];
  const y = from[1] - centre[1];
  const z = from[2] - centre[2];
  const half = x * direction[0] + y * direction[1] + z * direction[2];
  const under = half * half - (x * x + y * y + z * z - radius * radius);
  if (under < 0) return;
  const distance = -half - Math.sqrt(under);
  if (distance < NEAR || distance >= hit.distance) return;
  const normalX = (x + direction[0] * distance) / radius;
  const normalY = (y + direction[1] * distance) / radius;
  const normalZ = (z + direction[2] * distance) / radius;
  setHit(
    hit,
    distance,
    normalX,
    normalY,
    normalZ,
    Math.atan2(normalX, -normalZ) * radius,
    Math.asin(Math.max(-1, Math.min(1, normalY))) * radius,
    material,
  );
}

function hitCone(
  { base, height, baseRadius, topRadius, material }: Cone,
  from: Point,
  direction: Point,
  hit: Hit,
): void {
  const slope = (topRadius - baseRadius) / height;
  const x = from[0] - base[0];
  const y = from[1] - base[1];
  const z = from[2] - base[2];
  const radiusHere = baseRadius + slope * y;
  const a = direction[0] ** 2 + direction[2] ** 2 - (slope * direction[1]) ** 2;
  const b = x * direction[0] + z * direction[2] - slope * radiusHere * direction[1];
  const c = x * x + z * z - radiusHere * radiusHere;
  const under = b * b - a * c;
  if (under >= 0 && a > 0) {
    const distance = (-b - Math.sqrt(under)) / a;
    const level = y + direction[1] * distance;
    if (distance > NEAR && distance < hit.distance && level >= 0 && level <= height) {
      const sideX = x + direction[0] * distance;
      const sideZ = z + direction[2] * distance;
      const flat = Math.sqrt(sideX * sideX + sideZ * sideZ);
      const tilt = Math.sqrt(1 + slope * slope);
      setHit(
        hit,
        distance,
        sideX / flat / tilt,
        -slope / tilt,
        sideZ / flat / tilt,
        Math.atan2(sideX, -sideZ) * Math.max(baseRadius, topRadius),
        level,
        material,
      );
    }
  }
  const lidLevel = direction[1] < 0 ? height : 0;
  const lidRadius = direction[1] < 0 ? topRadius : baseRadius;
  const lidDistance = (lidLevel - y) / direction[1];
  if (!(lidDistance > NEAR) || lidDistance >= hit.distance) return;
  const lidX = x + direction[0] * lidDistance;
  const lidZ = z + direction[2] * lidDistance;
  if (lidX * lidX + lidZ * lidZ <= lidRadius * lidRadius)
    setHit(hit, lidDistance, 0, direction[1] < 0 ? 1 : -1, 0, lidX, lidZ, material);
}

function setHit(
  hit: Hit,
  distance: number,
  normalX: number,
  normalY: number,
  normalZ: number,
  across: number,
  along: number,
  material: Material,
): void {
  hit.distance = distance;
  hit.normalX = normalX;
  hit.normalY = normalY;
  hit.normalZ = normalZ;
  hit.across = across;
  hit.along = along;
  hit.material = material;
}

function dot(one: Point, other: Point): number {
  return one[0] * other[0] + one[1] * other[1] + one[2] * other[2];
}

function unit([x, y, z]: Point): Point {
  const length = Math.sqrt(x * x + y * y + z * z);
  return [x / length, y / length, z / length];
}
