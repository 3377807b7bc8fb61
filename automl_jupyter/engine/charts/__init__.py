"""Charts as Vega-Lite 5, each with its table and a sentence that says what to see.

Altair is imported when the first chart is drawn, and never by the server.
"""
