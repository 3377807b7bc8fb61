import { LabIcon } from '@jupyterlab/ui-components';

/** Three bars that rise to a point: models that compete. */
export const mark = new LabIcon({
  name: 'automl:mark',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
    <g class="jp-icon3" fill="#616161"><rect x="3" y="13" width="4.5" height="8" rx="1.2"/>
    <rect x="9.75" y="8" width="4.5" height="13" rx="1.2"/><rect x="16.5" y="11" width="4.5" height="10" rx="1.2"/>
    <circle cx="12" cy="4" r="2.2"/></g></svg>`
});
