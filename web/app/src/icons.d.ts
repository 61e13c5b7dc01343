// One file for each icon: the package's index names all 6,000, which makes builds slow.
declare module '@tabler/icons-react/dist/esm/icons/*.mjs' {
  import type { IconProps } from '@tabler/icons-react';
  import type { ComponentType } from 'react';
  const Icon: ComponentType<IconProps>;
  export default Icon;
}
declare module 'virtual:theme.css';
