// Pictures of a few pixels, drawn from text: no file to load, and they take the
// colour of the words beside them.
import { shape } from './dom.js';

const pictures = {
  lock: ['..####..', '.#....#.', '.#....#.', '########', '###..###', '###..###', '########', '########'],
  siren: ['#..##..#', '...##...', '..####..', '#.####.#', '..#.##..', '..#.##..', '.######.', '########'],
  warning: ['...##...', '...##...', '..#..#..', '..#..#..', '.##..##.', '.######.', '###..###', '########'],
  note: ['..####..', '.#....#.', '#..##..#', '#......#', '#..##..#', '#..##..#', '.#....#.', '..####..'],
  check: ['########', '#.....##', '#....##.', '##..##.#', '.####..#', '#.##...#', '#......#', '########'],
};

/** The picture of a name. It says nothing that words beside it do not. */
export function icon(name, size = 16) {
  let path = '';
  pictures[name].forEach((row, y) => {
    for (let x = 0; x < row.length; x++) if (row[x] === '#') path += `M${x} ${y}h1v1h-1z`;
  });
  return shape('svg', {
    class: `icon icon-${name}`, viewBox: '0 0 8 8', width: size, height: size, 'aria-hidden': 'true', focusable: 'false',
    'shape-rendering': 'crispEdges',
  }, shape('path', { d: path, fill: 'currentColor' }));
}
